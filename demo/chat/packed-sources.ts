import type { ChatCitation, PackedSource } from "lodestore";

/** Citations of a turn as sources: the first is what `[1]` means. */
export function packedSources(citations: readonly ChatCitation[]): PackedSource[] {
  return citations.map((citation, at) => ({ number: at + 1, citation }));
}
