import type { BlobCapabilities, BlobReadOptions, BlobWriter, StreamingBlobStore } from "../contracts/blobs.ts";
import { checkBlobRead, requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import { StorageError } from "../errors.ts";
import { AsideWriter } from "./blobs/aside-writer.ts";
import { blobKey, blobPath } from "./blobs/blob-path.ts";
import { type OpenableFile, SlotAside } from "./blobs/opfs-aside.ts";
import { putStream } from "./blobs/put-stream.ts";
import { cutOff, noBlob, readPieces } from "./blobs/read-pieces.ts";
import {
  type AccessHandle,
  readSlot,
  readSlotHeader,
  SLOT_HEADER_BYTES,
  type SlotHeader,
  slotHeaderOf,
  writeSlot,
} from "./blobs/slot-file.ts";
import { assertAccessHandles, checkStoreName, storesDirectory } from "./sql/opfs-directory.ts";
import { inStorage } from "./blobs/in-storage.ts";

const MAX_BLOB_BYTES: number = 2 ** 31 - 1;
const MAX_STREAM_BYTES: number = 2 ** 43;
const SLOTS = [".0", ".1"] as const;
/** Folder of what is being written, inside that of the blobs: no key leads there. */
const ASIDE = ".aside";

/** Opens blobs of a store, beside its database in the origin private file system; what a crash left half-written is removed. For the
 *  worker that owns the store.
 *  @param options.folder Folder of the blobs, inside the store's; `blobs` by default.
 *  @throws StorageError UNSUPPORTED (no access handles here), INVALID_INPUT (name), DRIVER */
export async function openOpfsBlobs(options: { name: string; folder?: "blobs" | "assets" }): Promise<OpfsBlobStore> {
  assertAccessHandles("open");
  const stores = await storesDirectory("open");
  const store = await stores.getDirectoryHandle(checkStoreName(options.name), { create: true });
  const root = await store.getDirectoryHandle(options.folder ?? "blobs", { create: true });
  await attempt("open", ASIDE, () => absentAsUndefined(() => root.removeEntry(ASIDE, { recursive: true })));
  return new OpfsBlobStore(root);
}

/** Blobs in the origin private file system, two files each, written by turns: the newer that is whole is the blob. */
export class OpfsBlobStore implements StreamingBlobStore {
  readonly #root: FileSystemDirectoryHandle;
  /** Ends of the operations that run, by key: a file is open once at a time. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "put" } as const;
    requireBlobKey(site, key);
    const content = requireBlobBytes(site, bytes, MAX_BLOB_BYTES);
    await this.#alone("put", key, async () => {
      const current = await this.#newest(key);
      const target = current === undefined ? SLOTS[0] : SLOTS[1 - SLOTS.indexOf(current.slot)]!;
      await this.#withSlot(key, target, true, (handle) => writeSlot(handle, (current?.sequence ?? 0) + 1, content));
      // The other is of no more use, and its space is.
      if (current !== undefined) await this.#removeSlot(key, current.slot);
    });
  }

  async get(key: string): Promise<Uint8Array> {
    requireBlobKey({ capability: "blobs", operation: "get" }, key);
    return this.#alone("get", key, async () => {
      const current = await this.#newest(key);
      if (current !== undefined) {
        const bytes = await this.#withSlot(key, current.slot, false, (handle) => readSlot(handle, current));
        if (bytes !== undefined) return bytes;
      }
      const damaged = (await this.#slots(key)).length > 0;
      const context = { capability: "blobs", operation: "get" } as const;
      if (damaged) throw new StorageError("CORRUPT", `the blob "${key}" was never written whole`, context);
      throw noBlob("get", key);
    });
  }

  async has(key: string): Promise<boolean> {
    requireBlobKey({ capability: "blobs", operation: "has" }, key);
    return this.#alone("has", key, async () => (await this.#newest(key)) !== undefined);
  }

  async delete(key: string): Promise<void> {
    requireBlobKey({ capability: "blobs", operation: "delete" }, key);
    await this.#alone("delete", key, async () => {
      // The newer goes last: a crash in between must not bring the older back.
      const newest = await this.#newest(key);
      for (const slot of SLOTS) if (slot !== newest?.slot) await this.#removeSlot(key, slot);
      if (newest !== undefined) await this.#removeSlot(key, newest.slot);
    });
  }

  async list(prefix: string): Promise<string[]> {
    requireBlobPrefix({ capability: "blobs", operation: "list" }, prefix);
    const keys = new Set<string>();
    await attempt("list", prefix, async () => {
      for await (const { folders, file } of filesBelow(this.#root)) {
        const key = SLOTS.some((slot) => file.endsWith(slot)) ? blobKey(folders, file.slice(0, -2)) : undefined;
        if (key?.startsWith(prefix) === true) keys.add(key);
      }
    });
    const whole = await Promise.all([...keys].map(async (key) => ((await this.has(key)) ? [key] : [])));
    return whole.flat().sort();
  }

  async createWriter(): Promise<BlobWriter> {
    const aside = await attempt("createWriter", ASIDE, async () =>
      SlotAside.open(await this.#root.getDirectoryHandle(ASIDE, { create: true })),
    );
    return new AsideWriter(
      {
        append: (bytes) => attempt("write", ASIDE, async () => aside.append(bytes)),
        become: (key) => this.#alone("commit", key, () => this.#become(aside, key)),
        drop: () => attempt("abort", ASIDE, () => aside.drop()),
      },
      MAX_STREAM_BYTES,
    );
  }

  putStream(key: string, bytes: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<number> {
    return putStream(() => this.createWriter(), key, bytes, options);
  }

  /** Reads through the file and not through an access handle, which would keep all others from it. */
  async *getStream(key: string, options: BlobReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const site = { capability: "blobs", operation: "getStream" } as const;
    requireBlobKey(site, key);
    const range = checkBlobRead(site, options);
    const found = await this.#alone("getStream", key, () => this.#newestFile(key));
    if (found === undefined) throw noBlob("getStream", key);
    const { file, length } = found;
    yield* readPieces(range, length, (at, size) =>
      attempt("getStream", key, async () => {
        const first = SLOT_HEADER_BYTES + at;
        const bytes = new Uint8Array(await file.slice(first, first + size).arrayBuffer());
        if (bytes.byteLength < size) throw cutOff(key, size - bytes.byteLength);
        return bytes;
      }),
    );
  }

  async sizeOf(key: string): Promise<number | undefined> {
    requireBlobKey({ capability: "blobs", operation: "sizeOf" }, key);
    return this.#alone("sizeOf", key, async () => (await this.#newestFile(key))?.length);
  }

  async capabilities(): Promise<BlobCapabilities> {
    return {
      driver: "blobs-opfs",
      persistent: true,
      transactional: false,
      maxBlobBytes: MAX_BLOB_BYTES,
      streaming: true,
      maxStreamBytes: MAX_STREAM_BYTES,
    };
  }

  async #become(aside: SlotAside, key: string): Promise<void> {
    const current = await this.#newest(key);
    const target = current === undefined ? SLOTS[0] : SLOTS[1 - SLOTS.indexOf(current.slot)]!;
    const { folders, file } = blobPath(key);
    const folder = (await this.#folder(folders, true)) as FileSystemDirectoryHandle;
    await aside.become(folder, `${file}${target}`, (current?.sequence ?? 0) + 1);
    if (current !== undefined) await this.#removeSlot(key, current.slot);
  }

  async #newestFile(key: string): Promise<(SlotHeader & { file: File }) | undefined> {
    const { folders, file: name } = blobPath(key);
    const folder = await this.#folder(folders, false);
    let newest: (SlotHeader & { file: File }) | undefined;
    for (const slot of SLOTS) {
      const handle = await absentAsUndefined(async () => folder?.getFileHandle(`${name}${slot}`));
      const file = await handle?.getFile();
      if (file === undefined) continue;
      const header = slotHeaderOf(new Uint8Array(await file.slice(0, SLOT_HEADER_BYTES).arrayBuffer()), file.size);
      if (header !== undefined && header.sequence > (newest?.sequence ?? -1)) newest = { ...header, file };
    }
    return newest;
  }

  /** The slot with the highest sequence among those that are whole. */
  async #newest(key: string): Promise<(SlotHeader & { slot: (typeof SLOTS)[number] }) | undefined> {
    let newest: (SlotHeader & { slot: (typeof SLOTS)[number] }) | undefined;
    for (const slot of SLOTS) {
      const header = await this.#withSlot(key, slot, false, readSlotHeader);
      if (header !== undefined && header.sequence > (newest?.sequence ?? -1)) newest = { ...header, slot };
    }
    return newest;
  }

  async #slots(key: string): Promise<string[]> {
    const there = await Promise.all(SLOTS.map((slot) => this.#withSlot(key, slot, false, () => slot)));
    return there.flatMap((slot) => slot ?? []);
  }

  /** Opens a slot for `work`; where it is absent and not to be made, returns `undefined`. */
  async #withSlot<T>(
    key: string,
    slot: string,
    create: boolean,
    work: (handle: AccessHandle) => T,
  ): Promise<T | undefined> {
    const { folders, file } = blobPath(key);
    const folder = await this.#folder(folders, create);
    const handle = await absentAsUndefined(async () => folder?.getFileHandle(`${file}${slot}`, { create }));
    if (handle === undefined) return undefined;
    const access = await (handle as unknown as OpenableFile).createSyncAccessHandle();
    try {
      return work(access);
    } finally {
      access.close();
    }
  }

  async #removeSlot(key: string, slot: string): Promise<void> {
    const { folders, file } = blobPath(key);
    const folder = await this.#folder(folders, false);
    await absentAsUndefined(async () => folder?.removeEntry(`${file}${slot}`));
  }

  async #folder(folders: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
    let folder: FileSystemDirectoryHandle | undefined = this.#root;
    for (const name of folders) {
      const parent: FileSystemDirectoryHandle = folder;
      folder = await absentAsUndefined(() => parent.getDirectoryHandle(name, { create }));
      if (folder === undefined) return undefined;
    }
    return folder;
  }

  /** Runs `work` when nothing else works on this key. */
  async #alone<T>(operation: string, key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#running.get(key) ?? Promise.resolve();
    const run = before.then(() => attempt(operation, key, work));
    const settled = run.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(key, settled);
    try {
      return await run;
    } finally {
      if (this.#running.get(key) === settled) this.#running.delete(key);
    }
  }
}

async function* filesBelow(
  root: FileSystemDirectoryHandle,
  folders: string[] = [],
): AsyncGenerator<{ folders: string[]; file: string }> {
  for await (const handle of root.values()) {
    if (handle.kind === "directory") yield* filesBelow(handle, [...folders, handle.name]);
    else yield { folders, file: handle.name };
  }
}

async function absentAsUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundError") return undefined;
    throw error;
  }
}

function attempt<T>(operation: string, what: string, work: () => Promise<T>): Promise<T> {
  return inStorage("the origin private file system", operation, what, work);
}
