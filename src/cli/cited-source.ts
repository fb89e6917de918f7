import type { ChatCitation } from "../node.ts";
import { printable } from "./printable.ts";
import { breadcrumbs } from "./search-lines.ts";

/** What is cited, as lodestore show takes it: headings and path:lines. */
export function citedSource({ title, headingPath, workspacePath, span }: ChatCitation): string {
  const name = breadcrumbs(title, headingPath);
  return `${name === "" ? "" : `${name}  `}${printable(workspacePath)}:${span.start}-${span.end}`;
}
