import { PIECE_BYTES } from "./read-pieces.ts";
import { type AccessHandle, endSlot, SLOT_HEADER_BYTES, writeWhole } from "./slot-file.ts";

/** What a dedicated worker can do with a file; written out, for a program with the DOM in its types does not know it. */
export interface OpenableFile {
  createSyncAccessHandle(): Promise<AccessHandle>;
  /** Not in every browser. */
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/** A slot that is written aside on OPFS, and moved to its place. */
export class SlotAside {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #name: string;
  readonly #file: OpenableFile;
  readonly #access: AccessHandle;
  #sizeBytes = 0;

  private constructor(folder: FileSystemDirectoryHandle, name: string, file: OpenableFile, access: AccessHandle) {
    this.#folder = folder;
    this.#name = name;
    this.#file = file;
    this.#access = access;
  }

  static async open(folder: FileSystemDirectoryHandle): Promise<SlotAside> {
    const name = crypto.randomUUID();
    const file = (await folder.getFileHandle(name, { create: true })) as unknown as OpenableFile;
    return new SlotAside(folder, name, file, await file.createSyncAccessHandle());
  }

  append(bytes: Uint8Array): void {
    writeWhole(this.#access, bytes, SLOT_HEADER_BYTES + this.#sizeBytes);
    this.#sizeBytes += bytes.byteLength;
  }

  /** Where files cannot be moved it is copied: its header, which makes it whole, is written last. */
  async become(folder: FileSystemDirectoryHandle, name: string, sequence: number): Promise<void> {
    const move = this.#file.move?.bind(this.#file);
    if (move !== undefined) {
      endSlot(this.#access, sequence, this.#sizeBytes);
      this.#access.close();
      return move(folder, name);
    }
    await this.#copy(await folder.getFileHandle(name, { create: true }), sequence);
    await this.drop();
  }

  async drop(): Promise<void> {
    this.#access.close();
    try {
      await this.#folder.removeEntry(this.#name);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "NotFoundError") throw error;
    }
  }

  async #copy(target: FileSystemFileHandle, sequence: number): Promise<void> {
    const access = await (target as unknown as OpenableFile).createSyncAccessHandle();
    try {
      access.truncate(0);
      access.flush();
      for (let at = 0; at < this.#sizeBytes; at += PIECE_BYTES) {
        const piece = new Uint8Array(Math.min(PIECE_BYTES, this.#sizeBytes - at));
        this.#access.read(piece, { at: SLOT_HEADER_BYTES + at });
        writeWhole(access, piece, SLOT_HEADER_BYTES + at);
      }
      endSlot(access, sequence, this.#sizeBytes);
    } finally {
      access.close();
    }
  }
}
