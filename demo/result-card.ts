import type { Document, SearchHit } from "lodestore";
import { element } from "./element.ts";
import { hitReasons } from "./hit-reasons.ts";
import { formatTime, languageName, mediaTypeName } from "./quantities.ts";
import type { OpenTarget } from "./url-state.ts";

/** One row of the results: a hit, or a document of the listing. */
export interface ResultItem {
  target: OpenTarget;
  /** The words that matched, as they stand in the text. */
  words: readonly string[];
  row: HTMLLIElement;
  link: HTMLAnchorElement;
}

/** A small label with the language's name, or nothing where it is unknown. */
export function languageBadge(lang: string | null): HTMLElement | null {
  if (lang === null) return null;
  return element("span", { class: "badge", title: languageName(lang) }, lang);
}

function card(link: HTMLAnchorElement, testId: string, ...rest: (HTMLElement | null)[]): HTMLLIElement {
  return element("li", { class: "card", "data-testid": testId }, element("h3", {}, link), ...rest);
}

export function hitCard(hit: SearchHit, document: Document | undefined, href: string): ResultItem {
  const { workspacePath, span } = hit.citation;
  const lines = span.start === span.end ? `${span.start}` : `${span.start}–${span.end}`;
  // The outermost heading is most often the title again.
  const crumbs = hit.headingPath[0] === hit.title ? hit.headingPath.slice(1) : hit.headingPath;
  const link = element("a", { href }, hit.title || workspacePath);
  const { text, highlights } = hit.snippet;
  const row = card(
    link,
    "hit",
    crumbs.length > 0 ? element("p", { class: "crumbs" }, ...crumbs.map((crumb) => element("span", {}, crumb))) : null,
    element("p", { class: "snippet" }, ...markedText(text, highlights)),
    element(
      "p",
      { class: "where" },
      languageBadge(document?.lang ?? null),
      element("code", { "data-testid": "citation" }, `${workspacePath}:${lines}`),
    ),
    hitReasons(hit),
  );
  return {
    target: { documentId: hit.documentId, start: span.start, end: span.end },
    words: [...new Set(highlights.map(([start, end]) => text.slice(start, end)))],
    row,
    link,
  };
}

export function documentCard(document: Document, href: string): ResultItem {
  const link = element("a", { href }, document.title || document.workspacePath);
  const row = card(
    link,
    "document",
    element("p", { class: "where" }, languageBadge(document.lang), element("code", {}, document.workspacePath)),
    element(
      "p",
      { class: "facts" },
      [
        mediaTypeName(document.mediaType),
        formatTime(document.ingestedAt),
        ...document.tags.map((tag) => `#${tag}`),
      ].join(" · "),
    ),
  );
  return { target: { documentId: document.id }, words: [], row, link };
}

/** Text nodes and `<mark>` elements: nothing in the text is ever read as HTML. */
export function markedText(text: string, ranges: readonly (readonly [number, number])[]): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let end = 0;
  for (const [start, stop] of ranges) {
    if (start > end) parts.push(text.slice(end, start));
    parts.push(element("mark", {}, text.slice(start, stop)));
    end = stop;
  }
  parts.push(text.slice(end));
  return parts;
}
