import { parse, postprocess, preprocess } from "micromark";
import { gfmFootnote } from "micromark-extension-gfm-footnote";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";
import { gfmTaskListItem } from "micromark-extension-gfm-task-list-item";
import type { Event, Extension } from "micromark-util-types";
import { deferInline } from "./markdown-inline.ts";

/** GFM without literal autolinks: they change no text, and looking for them at every letter takes as long as all the rest. */
const GFM: Extension[] = [gfmTable(), gfmFootnote(), gfmStrikethrough(), gfmTaskListItem()];

/** What MDX turns off: indented code (JSX is indented) and everything that begins with `<`. */
const MDX: Extension[] = [...GFM, { disable: { null: ["codeIndented", "htmlFlow", "htmlText", "autolink"] } }];

/**
 * Returns a function that reads stretches of one document into micromark's events, inline text left for later.
 * Definitions of links and footnotes are shared among the stretches: read all of them before any inline text.
 */
export function flowReader(mdx: boolean): (text: string, firstLine: number) => Event[] {
  const parser = parse({ extensions: mdx ? MDX : GFM });
  deferInline(parser);
  return (text, firstLine) => {
    const document = parser.document({ line: firstLine, column: 1, offset: 0 });
    return postprocess(document.write(preprocess()(text, undefined, true)));
  };
}
