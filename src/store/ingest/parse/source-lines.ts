/** Returns how many lines end in a stretch of text. */
export function countLines(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** Whether a stretch of text is nothing but spaces and tabs. */
export function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 9) return false;
  }
  return true;
}

/** Returns the numbers of lines that follow each other. */
export function lineNumbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
