/** Returns a blob, a stream or an async iterable of bytes as an iterable, `undefined` where the value is none of these. What it hands out
 *  is looked at when it comes. */
export function streamPieces(value: unknown): AsyncIterable<Uint8Array> | undefined {
  if (value instanceof Blob) return piecesOf(() => value.stream());
  if (value instanceof ReadableStream) return piecesOf(() => value as ReadableStream<Uint8Array>);
  if (typeof value === "object" && value !== null && Symbol.asyncIterator in value) {
    return value as AsyncIterable<Uint8Array>;
  }
  return undefined;
}

/** Not every browser iterates streams. */
function piecesOf(open: () => ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const reader = open().getReader();
      return {
        next: async () => {
          const { done, value } = await reader.read();
          return done ? { done: true, value: undefined } : { done: false, value };
        },
        return: async () => {
          await reader.cancel();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
