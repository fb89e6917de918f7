import type { DocumentFilter } from "../node.ts";
import type { Arguments, OptionSpec } from "./options.ts";

/** Options that choose documents, for `search` and `list`. */
export const FILTER_OPTIONS: readonly OptionSpec[] = [
  { name: "lang", value: "<xx>", many: true, help: "Only in this language; zh also takes zh-cn" },
  { name: "tag", value: "<tag>", many: true, help: "Only with this tag, or any of several" },
  { name: "path", value: "<glob>", many: true, help: 'Only at these paths: "guides/**", "**/*.md"' },
  { name: "media", value: "<type>", many: true, help: "Only of this media type: text/markdown, text/*" },
  { name: "after", value: "<date>", help: "Only taken in after this time (UTC): 2026-01-31,\n2026-01-31T09:30" },
  { name: "trust", value: "<n>", help: "Only with at least this trust, 0 to 1" },
  { name: "doc", value: "<id>", many: true, help: "Only in the document with this id" },
];

/** Fields of the store's queries, and the options they come from; a search calls its filter `filters`. */
const OPTION_OF: Readonly<Record<string, string>> = {
  "filter.lang": "--lang",
  "filter.tagsAny": "--tag",
  "filter.pathGlob": "--path",
  "filter.media": "--media",
  "filter.ingestedAfter": "--after",
  "filter.docId": "--doc",
  "page.cursor": "--cursor",
  cursor: "--cursor",
  text: "the query",
};

/** Returns a message of the store about a field with the name that was typed. */
export function withOptionName(message: string): string {
  return message.replace(
    /^([\w.]+)(?:\[\d+\])?(?= )/,
    (whole, field: string) => OPTION_OF[field.replace(/^filters\./, "filter.")] ?? whole,
  );
}

/** Returns the filter that the options stand for; `undefined` where none is given. What is wrong with a value, the store says. */
export function filterFrom(args: Arguments): DocumentFilter | undefined {
  const lang = args.list("lang");
  const tagsAny = args.list("tag");
  const pathGlob = args.list("path");
  const media = args.list("media");
  const after = args.text("after");
  // Fewer digits are a year, or a slip; the store says what it takes.
  const ingestedAfter = after !== undefined && /^\d{9,}$/.test(after) ? Number(after) : after;
  const trustMin = args.number("trust", 0, 1);
  const docId = args.list("doc");
  const filter: DocumentFilter = {
    ...(lang === undefined ? {} : { lang }),
    ...(tagsAny === undefined ? {} : { tagsAny }),
    ...(pathGlob === undefined ? {} : { pathGlob }),
    ...(media === undefined ? {} : { media }),
    ...(ingestedAfter === undefined ? {} : { ingestedAfter }),
    ...(trustMin === undefined ? {} : { trustMin }),
    ...(docId === undefined ? {} : { docId }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}
