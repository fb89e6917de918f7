import type { Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import type { SqlValue } from "../../contracts/sql.ts";
import { narrow, type UserFunctions } from "./user-functions.ts";
import {
  SQLITE_BLOB,
  SQLITE_FLOAT,
  SQLITE_INTEGER,
  SQLITE_TEXT,
  SQLITE_TRANSIENT,
  type Pointer,
} from "./wasm-exports.ts";
import type { WasmConnection } from "./wasm-statement.ts";

/** UTF-8, deterministic, innocuous: triggers and views may call it. */
const FLAGS = 0x1 | 0x800 | 0x200000;
const ANY_NUMBER_OF_ARGUMENTS = -1;
const POINTER_BYTES = 4;

/** Registers the functions on a connection.
 *  @returns takes them out of the module's function table, once the connection is closed */
export function registerFunctions(
  sqlite3: Sqlite3Static,
  connection: WasmConnection,
  functions: UserFunctions,
): () => void {
  const installed: Pointer[] = [];
  for (const name of functions.names()) {
    const call = (context: Pointer, count: number, values: Pointer): void => {
      try {
        const value = functions.call(name, args(connection, count, values));
        connection.memory.scratch(() => result(connection, context, value));
      } catch {
        // The error itself waits in `functions`; SQLite only needs to know that there is one.
        connection.exports.sqlite3_result_error(context, 0, 0);
      }
    };
    const pointer = sqlite3.wasm.installFunction("v(pip)", call as () => unknown);
    installed.push(pointer);
    const { exports, memory, db } = connection;
    memory.reset();
    memory.writeText(`${name}\0`);
    const { pointer: namePointer } = memory.written;
    connection.check(
      exports.sqlite3_create_function_v2(db, namePointer, ANY_NUMBER_OF_ARGUMENTS, FLAGS, 0, pointer, 0, 0, 0),
    );
  }
  return () => {
    for (const pointer of installed) sqlite3.wasm.uninstallFunction(pointer);
  };
}

function args({ exports, memory }: WasmConnection, count: number, values: Pointer): SqlValue[] {
  const args: SqlValue[] = [];
  for (let i = 0; i < count; i++) {
    const heap = memory.heap();
    const at = values + i * POINTER_BYTES;
    const value = new DataView(heap.buffer, heap.byteOffset + at, POINTER_BYTES).getUint32(0, true);
    switch (exports.sqlite3_value_type(value)) {
      case SQLITE_INTEGER:
        args.push(narrow(exports.sqlite3_value_int64(value)));
        break;
      case SQLITE_FLOAT:
        args.push(exports.sqlite3_value_double(value));
        break;
      case SQLITE_TEXT: {
        const text = exports.sqlite3_value_text(value);
        args.push(memory.readText(text, exports.sqlite3_value_bytes(value)));
        break;
      }
      case SQLITE_BLOB: {
        const bytes = exports.sqlite3_value_blob(value);
        args.push(memory.readBytes(bytes, exports.sqlite3_value_bytes(value)));
        break;
      }
      default:
        args.push(null);
    }
  }
  return args;
}

function result({ exports, memory, freePointer }: WasmConnection, context: Pointer, value: SqlValue): void {
  if (value === null) {
    exports.sqlite3_result_null(context);
  } else if (typeof value === "bigint") {
    exports.sqlite3_result_int64(context, value);
  } else if (typeof value === "number") {
    if (Number.isSafeInteger(value)) exports.sqlite3_result_int64(context, BigInt(value));
    else exports.sqlite3_result_double(context, value);
  } else if (typeof value === "string") {
    memory.writeText(value);
    const { pointer, size, owned } = memory.written;
    exports.sqlite3_result_text(context, pointer, size, owned ? freePointer : SQLITE_TRANSIENT);
  } else {
    memory.writeBytes(value);
    const { pointer, size, owned } = memory.written;
    exports.sqlite3_result_blob(context, pointer, size, owned ? freePointer : SQLITE_TRANSIENT);
  }
}
