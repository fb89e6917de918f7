import { registerHooks } from "node:module";

/** Loaded before a program: the packages of Lance are as if they were not installed, in its threads, too. */
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier !== "@lancedb/lancedb") return next(specifier, context);
    throw new Error(`Cannot find package '${specifier}'`);
  },
});
