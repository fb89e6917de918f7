/** Returns the first place from `from` on at which `sorted` is not below `value`, `size` where there is none: near ones are found fastest.
 *  @param sorted Its first `size` values ascend.
 *  @see Bentley & Yao 1976, An almost optimal algorithm for unbounded searching */
export function firstFrom(sorted: Uint32Array, size: number, from: number, value: number): number {
  let low = from;
  let step = 1;
  while (low + step < size && (sorted[low + step] as number) < value) {
    low += step;
    step *= 2;
  }
  let high = Math.min(size, low + step);
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
