import type { BlobWriter } from "../../contracts/blobs.ts";
import { requireBlobBytes, requireBlobKey } from "../../contracts/check-blobs.ts";
import { refusal } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";

/** Where a driver writes a blob aside. */
export interface AsideFile {
  append(bytes: Uint8Array): Promise<void>;
  /** Makes it the blob of this key; where that fails, it is dropped next. */
  become(key: string, sizeBytes: number): Promise<void>;
  drop(): Promise<void>;
}

/** What every driver's writer checks, and when a driver is asked to do what. */
export class AsideWriter implements BlobWriter {
  readonly #file: AsideFile;
  readonly #maxBytes: number;
  #sizeBytes = 0;
  #state: "open" | "committed" | "aborted" = "open";

  constructor(file: AsideFile, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "write" } as const;
    this.#requireOpen("write");
    const piece = requireBlobBytes(site, bytes, this.#maxBytes);
    if (this.#sizeBytes + piece.byteLength > this.#maxBytes) {
      throw refusal(site, `the blob has more than ${this.#maxBytes} bytes, which is the most that is taken`);
    }
    if (piece.byteLength === 0) return;
    await this.#file.append(piece);
    this.#sizeBytes += piece.byteLength;
  }

  async commit(key: string): Promise<void> {
    this.#requireOpen("commit");
    requireBlobKey({ capability: "blobs", operation: "commit" }, key);
    this.#state = "committed";
    try {
      await this.#file.become(key, this.#sizeBytes);
    } catch (error) {
      this.#state = "aborted";
      await this.#file.drop();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    await this.#file.drop();
  }

  #requireOpen(operation: string): void {
    if (this.#state === "open") return;
    const message = `the blob was ${this.#state} already; begin another one`;
    throw new StorageError("TRANSACTION", message, { capability: "blobs", operation });
  }
}
