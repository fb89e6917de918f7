import { StorageError } from "../../errors.ts";

/** How many bytes are looked at for signs of a binary file before decoding. */
const PROBE_BYTES = 64 * 1024;

/** Largest share of control characters that a text may have in its first bytes. */
const CONTROL_SHARE_MAX = 0.1;

/**
 * Decodes the bytes of a text file: UTF-8, or UTF-16 with a byte order mark. The mark is dropped, line ends are kept.
 *
 * @throws StorageError INVALID_INPUT when the bytes are not text, with a message that completes the sentence "the file …".
 */
export function decodeText(bytes: Uint8Array): string {
  const utf16 = utf16Label(bytes);
  if (utf16 !== null) return decodeUtf16(bytes, utf16);
  refuseBinary(bytes);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw refused(`is not UTF-8 text: invalid byte at offset ${firstInvalidUtf8(bytes)}`, cause);
  }
}

const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true });

function utf16Label(bytes: Uint8Array): "utf-16le" | "utf-16be" | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes[2] === 0 && bytes[3] === 0 ? null : "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return null;
}

function decodeUtf16(bytes: Uint8Array, label: "utf-16le" | "utf-16be"): string {
  let text: string;
  try {
    text = new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refused(`is not ${label.toUpperCase()} text, which its byte order mark says it is`, cause);
  }
  const nul = text.indexOf("\0");
  if (nul !== -1) throw refused(`looks binary: NUL character at offset ${2 + nul * 2}`);
  return text;
}

function refuseBinary(bytes: Uint8Array): void {
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw refused(`looks binary: NUL byte at offset ${nul}`);
  const probe = bytes.subarray(0, PROBE_BYTES);
  let controls = 0;
  for (const byte of probe) {
    // Tab, line feed, vertical tab, form feed, carriage return and escape (coloured logs) are part of texts.
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) controls++;
  }
  if (controls > 8 && controls > probe.length * CONTROL_SHARE_MAX) {
    throw refused(`looks binary: ${controls} control characters in its first ${probe.length} bytes`);
  }
}

/** Offset of the first byte that cannot be part of UTF-8 (Unicode 16, table 3-7: well-formed byte sequences). */
function firstInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

/** Length of the well-formed sequence at an offset, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1]!;
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second > 0x9f) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return length;
}

function refused(message: string, cause?: unknown): StorageError {
  return new StorageError("INVALID_INPUT", message, {
    capability: "ingest",
    operation: "decode",
    ...(cause === undefined ? {} : { cause }),
  });
}
