import type { SqlDatabase, SqlImage } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import type { EngineImage } from "./engine.ts";

/** Name under which an image's tables are in statements of the database. */
const SCHEMA = "image";

/** What an image needs of the connection that it stands beside. */
export interface ImageHome {
  /** Opens the file as a database of its own. @param onClosed Told once that is closed. */
  open(onClosed: () => void): SqlDatabase;
  /** Runs what the engine does with its connection, when no transaction runs. */
  turn(operation: string, action: () => void): Promise<void>;
  failed(error: unknown, operation: string): StorageError;
  /** The image is gone: forget it. */
  over(): void;
}

/** What is being done with the file: one thing at a time. */
type Use = "none" | "read" | "open" | "attached" | "gone";

/** A file beside a database: who may use it when. */
export class ConnectionImage implements SqlImage {
  readonly #image: EngineImage;
  readonly #home: ImageHome;
  #use: Use = "none";
  #database: SqlDatabase | undefined;
  #reader: AsyncIterableIterator<Uint8Array> | undefined;
  #closing: Promise<void> | undefined;

  constructor(image: EngineImage, home: ImageHome) {
    this.#image = image;
    this.#home = home;
  }

  async sizeBytes(): Promise<number> {
    if (this.#use === "gone") throw closed("sizeBytes");
    return this.#attempt("sizeBytes", async () => this.#image.sizeBytes());
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#take("read");
    const reader = this.#image.read();
    this.#reader = reader;
    try {
      for (;;) {
        if (this.#closing !== undefined) throw closed("read");
        const next = await this.#attempt("read", () => reader.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await this.#endReading();
    }
  }

  async open(): Promise<SqlDatabase> {
    this.#take("open");
    try {
      this.#database = this.#home.open(() => {
        if (this.#use === "open") this.#use = "none";
      });
      return this.#database;
    } catch (error) {
      this.#use = "none";
      throw this.#home.failed(error, "open");
    }
  }

  async attach(): Promise<void> {
    this.#take("attached");
    try {
      // Looks at it by itself first: what has no schema could not be detached again.
      await this.#home.open(nothing).close();
      await this.#home.turn("attach", () => this.#image.attach(SCHEMA));
    } catch (error) {
      this.#use = "none";
      throw this.#home.failed(error, "attach");
    }
  }

  async detach(): Promise<void> {
    if (this.#use !== "attached") return;
    await this.#home.turn("detach", () => this.#image.detach(SCHEMA));
    this.#use = "none";
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(() => this.detach());
    return this.#closing;
  }

  /** Closes it with its database, which takes no more turns. */
  end(): Promise<void> {
    this.#closing ??= this.#close(async () => this.#image.detach(SCHEMA));
    return this.#closing;
  }

  async #close(detach: () => Promise<void>): Promise<void> {
    await this.#database?.close();
    if (this.#use === "attached") await detach();
    await this.#endReading();
    this.#use = "gone";
    await this.#attempt("close", async () => this.#image.remove());
    this.#home.over();
  }

  async #endReading(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.return?.();
    if (this.#use === "read") this.#use = "none";
  }

  #take(use: Use): void {
    if (this.#use === "gone" || this.#closing !== undefined) throw closed(use);
    if (this.#use !== "none") {
      const message = `the image is ${this.#use === "read" ? "being read" : this.#use}; one thing is done with it at a time`;
      throw new StorageError("CONFLICT", message, { capability: "sql", operation: use });
    }
    this.#use = use;
  }

  async #attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#home.failed(error, operation);
    }
  }
}

function nothing(): void {}

function closed(operation: string): StorageError {
  return new StorageError("CLOSED", "the image is closed", { capability: "sql", operation });
}
