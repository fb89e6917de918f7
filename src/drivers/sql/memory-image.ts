import type { Database, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { StorageError } from "../../errors.ts";
import type { EngineImage, SqlEngine } from "./engine.ts";
import { IMAGE_PIECE_BYTES, throwIfCopyAborted, withoutWal } from "./image-bytes.ts";
import type { UserFunctions } from "./user-functions.ts";
import { WasmSqlEngine, type WasmImages } from "./wasm-engine.ts";

/** Most bytes of an image: what SQLite's memory in WebAssembly and ours can hold at once. */
const MAX_BYTES: number = 2 ** 30;

/** Images where there are no files: as bytes in memory. */
export function memoryImages(sqlite3: Sqlite3Static): WasmImages {
  return {
    copy: async (source, turn, signal) => {
      throwIfCopyAborted(signal);
      return new MemoryImage(sqlite3, source, await turn(() => bytesOf(sqlite3, source)));
    },
    receive: async (source, bytes) => {
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of bytes) {
        pieces.push(withoutWal(piece, size).slice());
        size += piece.byteLength;
        if (size > MAX_BYTES) throw tooLarge();
      }
      const whole = new Uint8Array(size);
      let at = 0;
      for (const piece of pieces.splice(0)) {
        whole.set(piece, at);
        at += piece.byteLength;
      }
      return new MemoryImage(sqlite3, source, whole);
    },
  };
}

class MemoryImage implements EngineImage {
  readonly #sqlite3: Sqlite3Static;
  readonly #home: Database;
  #bytes: Uint8Array;

  constructor(sqlite3: Sqlite3Static, home: Database, bytes: Uint8Array) {
    this.#sqlite3 = sqlite3;
    this.#home = home;
    this.#bytes = bytes;
  }

  sizeBytes(): number {
    return this.#bytes.byteLength;
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < this.#bytes.byteLength; at += IMAGE_PIECE_BYTES) {
      yield this.#bytes.slice(at, at + IMAGE_PIECE_BYTES);
    }
  }

  open(functions: UserFunctions): SqlEngine {
    return new WasmSqlEngine({
      sqlite3: this.#sqlite3,
      functions,
      driver: "sql-memory",
      fileName: ":memory:",
      connectionPragmas: "",
      newFilePragmas: "",
      filePragmas: "",
      images: memoryImages(this.#sqlite3),
      onOpened: (database) => fill(this.#sqlite3, database, "main", this.#bytes),
      onClosing: (database) => {
        this.#bytes = bytesOf(this.#sqlite3, database);
      },
    });
  }

  attach(schema: string): void {
    this.#home.exec(`ATTACH ':memory:' AS ${schema}`);
    try {
      fill(this.#sqlite3, this.#home, schema, this.#bytes);
      this.#home.exec(`SELECT count(*) FROM ${schema}.sqlite_schema`);
    } catch (error) {
      this.detach(schema);
      throw error;
    }
  }

  detach(schema: string): void {
    this.#home.exec(`DETACH ${schema}`);
  }

  remove(): void {
    this.#bytes = new Uint8Array();
  }
}

/** The whole database as SQLite would write it to a file. */
function bytesOf({ capi }: Sqlite3Static, database: Database): Uint8Array {
  return capi.sqlite3_js_db_export(database);
}

/** Replaces a database in memory. SQLite owns the copy. */
function fill({ capi, wasm }: Sqlite3Static, database: Database, schema: string, bytes: Uint8Array): void {
  const pointer = wasm.allocFromTypedArray(bytes);
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE;
  database.checkRc(capi.sqlite3_deserialize(database, schema, pointer, bytes.byteLength, bytes.byteLength, flags));
}

function tooLarge(): StorageError {
  return new StorageError("QUOTA_EXCEEDED", `a database in memory takes files of at most ${MAX_BYTES} bytes`, {
    capability: "sql",
    operation: "imageFrom",
  });
}
