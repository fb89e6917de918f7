import type { IngestFile, IngestSource } from "../contracts/store.ts";
import { blobBytes, sendableBytes, sendableContent } from "./sendable-content.ts";
import { kindOf } from "./value-kind.ts";

/** Returns a source whose files can all be sent: in place of a field that cannot be cloned stands `null`, which no field
 *  takes, so that the ingest reports the one file by its path and goes on. Files that can be sent are sent as they are, but for large
 *  contents, which are read when their turn comes. */
export function sendableFiles(source: IngestSource): IngestSource {
  if (typeof source !== "object" || source === null) return source;
  if (Array.isArray(source)) return sendableList(source as readonly IngestFile[]);
  if (!(Symbol.asyncIterator in source || Symbol.iterator in source)) return sendableFile(source);
  const open = (): AsyncIterator<IngestFile> => sendableIterator(iteratorOf(source));
  if (!("next" in source)) return { [Symbol.asyncIterator]: open };
  // An iterator stays one: it is closed also when it was never pulled.
  const iterator = open();
  return { ...iterator, [Symbol.asyncIterator]: () => iterator };
}

function sendableList(files: readonly IngestFile[]): readonly IngestFile[] {
  const sendable = files.map(sendableFile);
  return sendable.every((file, index) => file === files[index]) ? files : sendable;
}

type AnyIterator<T> = Iterator<T | PromiseLike<T>> | AsyncIterator<T>;

function iteratorOf<T>(iterable: AsyncIterable<T> | Iterable<T>): AnyIterator<T> {
  return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
}

/** No generator: that would pass the end on only when the source has answered, and a source may hang. */
function sendableIterator(files: AnyIterator<IngestFile>): AsyncIterator<IngestFile> {
  return {
    next: async () => {
      const result = await files.next();
      if (result.done === true) return result;
      return { value: sendableFile(await result.value) };
    },
    return: async () => {
      await files.return?.();
      return { done: true, value: undefined };
    },
  };
}

function sendableFile(file: IngestFile): IngestFile {
  const given: unknown = file;
  if (typeof given !== "object" || given === null) return (typeof given === "symbol" ? null : given) as IngestFile;
  if (kindOf(given) !== "plain") return file;
  let sendable: Record<string, unknown> | undefined;
  for (const [field, value] of Object.entries(given)) {
    const content: unknown = field === "content" ? contentToSend(value, file) : value;
    if (content !== value) {
      sendable ??= { ...given };
      sendable[field] = content;
      if (value instanceof Uint8Array && !("sizeBytes" in given)) sendable["sizeBytes"] = value.byteLength;
      continue;
    }
    if (isSendable(value)) continue;
    sendable ??= { ...given };
    if (field === "content" && value instanceof Blob) Object.assign(sendable, readLater(value, given));
    else sendable[field] = null;
  }
  return sendable === undefined ? file : (sendable as unknown as IngestFile);
}

function contentToSend(content: unknown, file: IngestFile): unknown {
  if (typeof content !== "function") return sendableContent(content);
  // Called as it would be there, as a method of its file.
  return async () => sendableBytes(await (file as { content: () => unknown }).content());
}

/** What stands for a blob that cannot be sent, as Node's of files: it is read here when its turn comes. */
function readLater(blob: Blob, { sizeBytes }: { sizeBytes?: unknown }): Record<string, unknown> {
  return {
    content: () => blobBytes(blob),
    ...(sizeBytes === undefined ? { sizeBytes: blob.size } : {}),
  };
}

/** Whether a field can be sent. Content is not copied for the answer, unless it is empty: its buffer may be detached.
 *  Functions within tags or metadata could be sent, but no file takes them. */
function isSendable(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "symbol";
  if (ArrayBuffer.isView(value) && value.byteLength > 0) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
