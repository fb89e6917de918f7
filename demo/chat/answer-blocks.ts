/** A block of an answer: as much of Markdown as answers of models are made of. Texts are as written; nothing is ever HTML. */
export type AnswerBlock =
  | { kind: "paragraph" | "heading"; text: string }
  | { kind: "code"; text: string; language: string }
  | { kind: "list"; ordered: boolean; start: number; items: string[] };

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const ITEM = /^\s*(?:[-*+•]|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$/;

/** Reads blocks from the text of an answer, also from the part of it that has come so far: a fence that is still open is code to the end. */
export function answerBlocks(text: string): AnswerBlock[] {
  const blocks: AnswerBlock[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  let isOpen = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const last = isOpen ? blocks.at(-1) : undefined;
    const fence = FENCE.exec(line);
    const item = ITEM.exec(line);
    const heading = HEADING.exec(line);
    if (fence !== null) {
      const end = endOfCode(lines, at, fence[1] ?? "```");
      blocks.push({ kind: "code", language: fence[2] ?? "", text: lines.slice(at + 1, end).join("\n") });
      at = end;
      isOpen = false;
    } else if (line.trim() === "") {
      // The items of a list may have empty lines between them.
      if (last?.kind !== "list" || ITEM.exec(lines[at + 1] ?? "") === null) isOpen = false;
    } else if (item !== null) {
      const ordered = item[1] !== undefined;
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(item[2] ?? "");
      else blocks.push({ kind: "list", ordered, start: Number(item[1] ?? 1), items: [item[2] ?? ""] });
      isOpen = true;
    } else if (heading !== null) {
      blocks.push({ kind: "heading", text: heading[1] ?? "" });
      isOpen = false;
    } else if (last?.kind === "list") {
      last.items.push(`${last.items.pop() ?? ""}\n${line.trim()}`);
    } else if (last?.kind === "paragraph") {
      last.text += `\n${line.trim()}`;
    } else {
      blocks.push({ kind: "paragraph", text: line.trim() });
      isOpen = true;
    }
  }
  return blocks;
}

/** The line that closes the fence, or the end of the text. */
function endOfCode(lines: readonly string[], opening: number, fence: string): number {
  for (let at = opening + 1; at < lines.length; at++) {
    const line = (lines[at] ?? "").trim();
    if (line.startsWith(fence) && line === fence.charAt(0).repeat(line.length)) return at;
  }
  return lines.length;
}
