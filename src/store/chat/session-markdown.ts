import type { ChatCitation, ChatRole, ChatSession, ChatTurn } from "../../contracts/chat.ts";

const SPEAKERS: Record<ChatRole, string> = { system: "System", user: "User", assistant: "Assistant", tool: "Tool" };

/** Returns a session as Markdown: a heading for each turn, its text as it was written, then what it cites as footnotes. */
export function sessionMarkdown(session: ChatSession, turns: readonly ChatTurn[]): string {
  const parts = [`# ${onOneLine(session.title ?? "Conversation")}`, `*${time(session.createdAt)}*`];
  for (const turn of turns) {
    const { role, model, createdAt, text, citations } = turn;
    const by = model === null ? "" : ` (${onOneLine(model)})`;
    parts.push(`## ${SPEAKERS[role]}${by}`, `*${time(createdAt)}*`);
    if (text !== "") parts.push(text);
    if (citations.length > 0) parts.push(citations.map((citation, at) => footnote(turn, citation, at)).join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

function footnote({ index }: ChatTurn, { title, workspacePath, headingPath, span }: ChatCitation, at: number): string {
  const headings = headingPath[0] === title ? headingPath.slice(1) : headingPath;
  const name = [title, ...headings].filter((part) => part !== "").map(onOneLine);
  const place = `\`${workspacePath.replaceAll("`", "'")}:${span.start}-${span.end}\``;
  return `[^${index + 1}-${at + 1}]: ${[...name, place].join(" › ")}`;
}

/** What stands in a line of its own must stay in it, and what it holds is no markup. */
function onOneLine(text: string): string {
  return text.replaceAll(/\s+/gu, " ").replaceAll(/[\\`*_[\]<>#]/gu, "\\$&");
}

/** To the second, in UTC: `2026-01-31 09:30:00 UTC`. */
function time(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
