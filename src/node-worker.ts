/** A thread of a store on Node: `openStore` of `lodestore/node` starts it. It imports nothing up front: what comes first must happen
 *  before node:sqlite is loaded. */
// Some versions of Node warn that node:sqlite is experimental, in every thread. This one warning is dropped; all others are shown.
const warn = process.emitWarning.bind(process) as (warning: string | Error, ...rest: unknown[]) => void;
process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
  if (!String(warning).includes("SQLite is an experimental feature")) warn(warning, ...rest);
};

const { serveThread } = await import("./node-thread.ts");
serveThread();
