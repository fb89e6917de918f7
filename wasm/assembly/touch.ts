// Reading ahead: a prefetch without an instruction for it.

/** Stride of 384 dimensions as codes, with 30 links. */
const COMMON_STRIDE: usize = 512;

/** Reads one byte of every line of a record that its distance needs: scale and offset in the first, the code from the third on (or, where
 *  there are fewer links, earlier: then a line less is there in time). All of them are on their way while the links are gone through;
 *  reading them one after the other, as the distance does, waits for each. With as few conditions as may be: one more a line is 8 %. */
@inline
export function touch(record: usize, stride: usize): u32 {
  let sum: u32 = load<u8>(record);
  if (stride >= COMMON_STRIDE) {
    sum += load<u8>(record, 128);
    sum += load<u8>(record, 192);
    sum += load<u8>(record, 256);
    sum += load<u8>(record, 320);
    sum += load<u8>(record, 384);
    sum += load<u8>(record, 448);
    if (stride == COMMON_STRIDE) return sum;
    let at = COMMON_STRIDE;
    for (; at + 128 <= stride; at += 128) sum += load<u8>(record + at) + load<u8>(record + at, 64);
  } else {
    if (stride >= 256) sum += load<u8>(record, 128) + load<u8>(record, 192);
    if (stride >= 384) sum += load<u8>(record, 256) + load<u8>(record, 320);
  }
  // The last of an odd number of lines.
  return sum + load<u8>(record + stride - 64);
}

/** Reads one byte of the first two lines of a record: its links. */
@inline
export function touchLinks(record: usize, stride: usize): u32 {
  return stride < 128 ? 0 : <u32>load<u8>(record) + load<u8>(record, 64);
}

let sink: u32 = 0;

/** Keeps what was read only to be near from being left out. */
export function keepTouched(touched: u32): void {
  sink = touched;
}
