import sqlite3InitModule, { type Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { StorageError } from "../../errors.ts";

/** Where the bytes of `sqlite3.wasm` come from: an address, the bytes, or the compiled module. */
export type SqliteWasmSource = string | URL | ArrayBuffer | WebAssembly.Module;

/** The part of Emscripten's options that is used here. */
interface ModuleOptions {
  locateFile?: (name: string) => string;
  wasmBinary?: ArrayBuffer;
  instantiateWasm?: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => object;
  print: (text: string) => void;
  printErr: (text: string) => void;
}

/** sqlite-wasm's own hook for configuration before it starts. */
interface ModuleConfiguration {
  disable: { vfs: Record<string, boolean> };
  debug: Log;
  log: Log;
  warn: Log;
  error: Log;
}

type Log = (...parts: unknown[]) => void;

const load = sqlite3InitModule as unknown as (options: ModuleOptions) => Promise<Sqlite3Static>;

let loading: Promise<Sqlite3Static> | undefined;
let lastIoError: Error | undefined;

/** Loads SQLite once per thread. `source` counts for the first call; by default the file next to the package's own module.
 *  @throws StorageError DRIVER when it cannot be loaded; the next call tries again */
export function loadSqlite(source?: SqliteWasmSource): Promise<Sqlite3Static> {
  loading ??= start(source);
  return loading;
}

/** The last error a VFS reported: SQLite itself only says "disk I/O error". Taking it forgets it. */
export function takeIoError(): Error | undefined {
  const error = lastIoError;
  lastIoError = undefined;
  return error;
}

async function start(source: SqliteWasmSource | undefined): Promise<Sqlite3Static> {
  const messages: string[] = [];
  const configuration: ModuleConfiguration = {
    // The VFSs that need cross-origin isolation or window storage would start a worker of their own.
    disable: { vfs: { opfs: true, "opfs-vfs": true, "opfs-wl": true, kvvfs: true } },
    debug: silent,
    log: silent,
    warn: silent,
    error: (...parts) => {
      lastIoError = parts.find((part) => part instanceof Error) ?? lastIoError;
    },
  };
  Object.assign(globalThis, { sqlite3ApiConfig: configuration });
  try {
    return await load({
      ...moduleOptions(source),
      print: silent,
      printErr: (text) => messages.push(text),
    });
  } catch (error) {
    loading = undefined;
    const reason = messages.at(-1) ?? (error instanceof Error ? error.message : String(error));
    throw new StorageError("DRIVER", `sqlite3.wasm could not be loaded: ${reason}`, {
      capability: "sql",
      operation: "open",
      cause: error,
    });
  }
}

function moduleOptions(source: SqliteWasmSource | undefined): Partial<ModuleOptions> {
  if (source === undefined) return {};
  if (typeof source === "string" || source instanceof URL) return { locateFile: () => String(source) };
  if (source instanceof ArrayBuffer) return { wasmBinary: source };
  return {
    instantiateWasm: (imports, done) => {
      done(new WebAssembly.Instance(source, imports), source);
      return {};
    },
  };
}

function silent(): void {}
