const marks = new WeakMap<object, readonly Transferable[]>();
let markCount = 0;

/**
 * Marks a value so that its buffers are moved, not copied, when it next crosses a connection: as an argument,
 * a result, an item of a stream, or anywhere in the plain objects and arrays of one.
 *
 * @param value An object, array or typed array; it is returned itself.
 * @param transferables ArrayBuffers, MessagePorts and the like that are in `value`. They are unusable here afterwards.
 * @example
 *   await store.documents.putAssetWithBytes({ bytes: transfer(bytes, [bytes.buffer]), mediaType: "text/markdown" });
 */
export function transfer<T extends object>(value: T, transferables: readonly Transferable[]): T {
  if (!marks.has(value)) markCount++;
  marks.set(value, transferables);
  return value;
}

/** Whether any value is marked and not sent yet; spares the look-up per object. */
export function anyTransfers(): boolean {
  return markCount > 0;
}

/** Returns what goes along with `value`. */
export function transfersOf(value: object): readonly Transferable[] | undefined {
  return marks.get(value);
}

/** Forgets the mark: the value was sent. */
export function forgetTransfers(value: object): void {
  if (marks.delete(value)) markCount--;
}
