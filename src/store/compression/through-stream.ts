/** A stream of the platform that turns bytes into bytes. */
export interface ByteTransform {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<BufferSource>;
}

/**
 * Sends bytes through a stream, a slice at a time: a platform may work through all it was given before anybody can read.
 * @param limit Most bytes to take out of it.
 * @returns undefined where more than `limit` come out; the stream is ended then.
 * @throws what the stream throws
 */
export async function throughStream(
  { readable, writable }: ByteTransform,
  bytes: Uint8Array,
  sliceBytes: number,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = readable.getReader();
  // Whatever stops the writing is told to the reader, too.
  feed(writable, bytes, sliceBytes).catch(() => undefined);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(parts, length);
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel();
      return undefined;
    }
    parts.push(value);
  }
}

async function feed(writable: WritableStream<BufferSource>, bytes: Uint8Array, sliceBytes: number): Promise<void> {
  const writer = writable.getWriter();
  for (let at = 0; at < bytes.byteLength; at += sliceBytes) {
    await writer.ready;
    await writer.write(bytes.subarray(at, at + sliceBytes) as Uint8Array<ArrayBuffer>);
  }
  await writer.close();
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
