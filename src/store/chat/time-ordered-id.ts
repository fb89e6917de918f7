/** Returns a random id whose first 12 hex digits are the time: rows that come one after the other stand side by side in an index, and a new
 *  one is written to its end. 32 hex digits.
 *  @param now Milliseconds since 1970.
 *  @see RFC 9562, section 5.7: UUID version 7 */
export function timeOrderedId(now: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  bytes[0] = 0x70 | (bytes[0]! & 0x0f);
  bytes[2] = 0x80 | (bytes[2]! & 0x3f);
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return now.toString(16).padStart(12, "0") + random;
}
