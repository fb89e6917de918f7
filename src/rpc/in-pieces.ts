/** What is copied or encoded at once, in bytes or characters: a fraction of a millisecond. */
export const PIECE: number = 2 ** 18;

/** Longest stretch of work between two turns of the event loop, in milliseconds. */
const TURN_MS = 4;

/** Copies bytes piece by piece, and gives turns away between them: the copy is its taker's own. */
export async function copyInPieces(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.byteLength);
  const turns = new PieceTurns();
  for (let at = 0; at < copy.byteLength; at += PIECE) {
    copy.set(bytes.subarray(at, at + PIECE), at);
    await turns.breathe();
  }
  return copy;
}

/** Encodes a text as UTF-8 piece by piece, and gives turns away between them. The bytes are those of `TextEncoder` at once. */
export async function encodeInPieces(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const turns = new PieceTurns();
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    pieces.push(encoder.encode(text.slice(at, end)));
    at = end;
    await turns.breathe();
  }
  return joinInPieces(pieces);
}

/** Joins what comes in pieces, and gives turns away between them. */
export async function joinInPieces(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const turns = new PieceTurns();
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    all.push(piece);
    length += piece.byteLength;
    // What is in memory already comes without a turn between two pieces.
    await turns.breathe();
  }
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of all) {
    joined.set(piece, at);
    at += piece.byteLength;
    await turns.breathe();
  }
  return joined;
}

/** Never between the halves of a character. */
function pieceEnd(text: string, at: number): number {
  const end = at + PIECE;
  if (end >= text.length) return text.length;
  return isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

/** Gives a turn away when the last one is long enough ago. A timer, for timers and messages of the caller come between them alike. */
class PieceTurns {
  #last = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#last < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#last = performance.now();
  }
}
