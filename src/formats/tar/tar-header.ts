/** Bytes of a block: headers are one, content is padded to whole ones. */
export const TAR_BLOCK = 512;

/** What a header says of the file that follows it. */
export interface TarFile {
  /** Up to 100 ASCII characters. */
  name: string;
  sizeBytes: number;
  /** Seconds since 1970. */
  modifiedAt: number;
}

/** Where the fields of a header are. @see POSIX.1-1988, ustar interchange format */
const NAME = { at: 0, length: 100 };
const MODE = { at: 100, length: 8 };
const OWNER = { at: 108, length: 8 };
const GROUP = { at: 116, length: 8 };
const SIZE = { at: 124, length: 12 };
const MODIFIED = { at: 136, length: 12 };
const CHECKSUM = { at: 148, length: 8 };
const TYPE = 156;
const MAGIC = { at: 257, length: 8 };
const PREFIX = { at: 345, length: 155 };

interface Field {
  at: number;
  length: number;
}

const USTAR = "ustar\u000000";
/** What GNU tar writes in its place. */
const GNU = "ustar  \u0000";
/** First byte of a number that is binary, because it does not fit in octal digits. */
const BINARY = 0x80;
const ASCII_NAME = /^[\x21-\x7e]{1,100}$/u;

/** Writes the header of a plain file. Sizes of 8 GiB and more are binary, as GNU tar and its successors write them. */
export function writeTarHeader({ name, sizeBytes, modifiedAt }: TarFile): Uint8Array {
  if (!ASCII_NAME.test(name)) throw new RangeError(`a file in a tar is named with 1 to 100 ASCII characters: ${name}`);
  const block = new Uint8Array(TAR_BLOCK);
  writeText(block, NAME.at, name);
  writeNumber(block, MODE, 0o644);
  writeNumber(block, OWNER, 0);
  writeNumber(block, GROUP, 0);
  writeNumber(block, SIZE, sizeBytes);
  writeNumber(block, MODIFIED, modifiedAt);
  writeText(block, MAGIC.at, USTAR);
  block[TYPE] = "0".charCodeAt(0);
  writeText(block, CHECKSUM.at, `${octal(sumOf(block), 6)}\u0000 `);
  return block;
}

/** What is wrong with a header. */
export class TarHeaderError extends Error {}

/** Reads a header.
 *  @returns the file, or `undefined` for a block of zeros, which ends an archive
 *  @throws TarHeaderError it is none, or of something else than a plain file */
export function readTarHeader(block: Uint8Array): TarFile | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const magic = textOf(block, MAGIC);
  if (magic !== USTAR && magic !== GNU) throw new TarHeaderError("it has no tar header");
  if (readNumber(block, CHECKSUM) !== sumOf(block)) throw new TarHeaderError("the tar header is damaged");
  const type = String.fromCharCode(block[TYPE] ?? 0);
  if (type !== "0" && type !== "\u0000")
    throw new TarHeaderError(`it holds something else than plain files (type ${JSON.stringify(type)})`);
  const name = upToZero(textOf(block, NAME));
  if (!ASCII_NAME.test(name) || block[PREFIX.at] !== 0) throw new TarHeaderError("a file in it has no proper name");
  return { name, sizeBytes: readNumber(block, SIZE), modifiedAt: readNumber(block, MODIFIED) };
}

/** Bytes that pad content of this length to whole blocks. */
export function tarPadding(sizeBytes: number): number {
  return (TAR_BLOCK - (sizeBytes % TAR_BLOCK)) % TAR_BLOCK;
}

/** The sum of the header's bytes, its own field read as blanks. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK; at++) {
    sum += at >= CHECKSUM.at && at < CHECKSUM.at + CHECKSUM.length ? 0x20 : (block[at] ?? 0);
  }
  return sum;
}

function writeText(block: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}

function writeNumber(block: Uint8Array, { at, length }: Field, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`a tar header takes whole numbers, got ${value}`);
  if (value < 8 ** (length - 1)) {
    writeText(block, at, octal(value, length - 1));
    return;
  }
  let left = value;
  for (let i = at + length - 1; i > at; i--) {
    block[i] = left % 256;
    left = Math.floor(left / 256);
  }
  block[at] = BINARY;
}

function readNumber(block: Uint8Array, field: Field): number {
  const value = block[field.at] === BINARY ? binaryOf(block, field) : octalOf(block, field);
  if (!Number.isSafeInteger(value)) throw new TarHeaderError("a number in the tar header is none");
  return value;
}

function binaryOf(block: Uint8Array, { at, length }: Field): number {
  let value = 0;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + (block[i] ?? 0);
  return value;
}

function octalOf(block: Uint8Array, field: Field): number {
  const digits = upToZero(textOf(block, field)).trim();
  return /^[0-7]{1,12}$/u.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function textOf(block: Uint8Array, { at, length }: Field): string {
  return String.fromCharCode(...block.subarray(at, at + length));
}

function upToZero(text: string): string {
  const end = text.indexOf("\u0000");
  return end < 0 ? text : text.slice(0, end);
}
