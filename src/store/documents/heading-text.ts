/** Returns the heading of a chunk as it is indexed: the document's title and the headings above the chunk, joined by
 *  " > ". The title is not repeated when it is the first heading as well. */
export function headingText(title: string, headingPath: readonly string[]): string {
  const parts = title === headingPath[0] ? headingPath : [title, ...headingPath];
  return parts.filter((part) => part !== "").join(" > ");
}
