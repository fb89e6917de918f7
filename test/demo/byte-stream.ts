/** A stream of these bytes, cut at the given places; `onCancel` is told when a reader gives it up. */
export function byteStream(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  onCancel: () => void = () => {},
): ReadableStream<Uint8Array> {
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.byteLength];
  const pieces = places.slice(1).map((end, at) => bytes.slice(places[at] ?? 0, end));
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: onCancel,
  });
}
