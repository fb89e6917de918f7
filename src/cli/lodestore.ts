#!/usr/bin/env node
// The command `lodestore`. It imports nothing up front: what comes first must happen before node:sqlite is loaded.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 16)) {
  // The SQLite of Node before 22.16 has no full-text search.
  process.stderr.write(`lodestore needs Node 22.16 or newer; this is Node ${process.versions.node}.\n`);
  process.exit(3);
}

// Some versions of Node warn that node:sqlite is experimental. This one warning is dropped; all others are shown.
const warn = process.emitWarning.bind(process) as (warning: string | Error, ...rest: unknown[]) => void;
process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
  if (!String(warning).includes("SQLite is an experimental feature")) warn(warning, ...rest);
};

// A reader that has seen enough (`lodestore list | head`) ends the command, and is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever listens, too, ends by itself: what it writes is worth nothing unless it is whole.
    if (stream.listenerCount("error") > 1) return;
    if (error.code === "EPIPE") process.exit();
    process.stderr.write(`lodestore: the output cannot be written: ${error.message}\n`);
    process.exit(3);
  });
}

const { runCommandLine } = await import("./run-command-line.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));
