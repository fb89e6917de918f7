/** The beginning of a text that is longer than `length` characters, ending with a word and “…”; a shorter text as it is. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const lastSpace = text.slice(0, length + 1).search(/\s\S*$/);
  return `${beginning(text, lastSpace > length / 2 ? lastSpace : length)}…`;
}

/** The first `length` characters, and not half of one outside the basic plane. */
export function beginning(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}
