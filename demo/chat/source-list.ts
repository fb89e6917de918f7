import type { ChatCitation, Snippet } from "lodestore";
import { element } from "../element.ts";
import { formatCountOf } from "../quantities.ts";
import { markedText } from "../result-card.ts";
import type { OpenTarget } from "../url-state.ts";
import { crumbsOf, placeOf } from "./passage.ts";

/** A citation with its number and its snippet, as it is shown. */
export interface Source extends ChatCitation {
  number: number;
  snippet: Snippet;
}

/** How links to sources behave. */
export interface SourceLinks {
  /** Address of the page with this document open. */
  hrefOf: (target: OpenTarget) => string;
  onOpen: (source: Source, link: HTMLElement) => void;
}

export function targetOf({ documentId, span: { start, end } }: ChatCitation): OpenTarget {
  return { documentId, start, end };
}

/** A link that opens the source at its lines. */
function sourceLink(source: Source, links: SourceLinks, attributes: Record<string, string>, text: string): HTMLElement {
  const link = element("a", { href: links.hrefOf(targetOf(source)), ...attributes }, text);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    links.onOpen(source, link);
  });
  return link;
}

/** The link that a marker in an answer becomes: `[1]`. */
export function markerLink(source: Source, links: SourceLinks): HTMLElement {
  const label = `Passage ${source.number}: ${source.title || source.workspacePath}`;
  const attributes = { class: "marker", "aria-label": label, title: label, "data-testid": "marker" };
  return sourceLink(source, links, attributes, String(source.number));
}

/** The passages of an answer: those that it cites, and the others behind a fold. */
export function sourceList(sources: readonly Source[], cited: readonly number[], links: SourceLinks): HTMLElement {
  const isCited = ({ number }: Source): boolean => cited.includes(number);
  const [first, others] = [sources.filter(isCited), sources.filter((source) => !isCited(source))];
  const what = first.length === 0 ? "passage looked at" : "more passage looked at";
  return element(
    "div",
    { class: "sources", "data-testid": "sources" },
    first.length > 0 && list(first, links, "Passages cited"),
    others.length > 0 &&
      element(
        "details",
        {},
        element("summary", {}, formatCountOf(others.length, what, what.replace("passage", "passages"))),
        list(others, links, "Passages not cited"),
      ),
  );
}

function list(sources: readonly Source[], links: SourceLinks, label: string): HTMLElement {
  return element("ol", { "aria-label": label }, ...sources.map((source) => item(source, links)));
}

function item(source: Source, links: SourceLinks): HTMLElement {
  const crumbs = crumbsOf(source);
  return element(
    "li",
    { class: "source-item", value: source.number, "data-testid": "source" },
    element("span", { class: "source-number", "aria-hidden": "true" }, String(source.number)),
    element(
      "div",
      {},
      element(
        "p",
        { class: "source-title" },
        sourceLink(source, links, { "data-testid": "source-link" }, source.title || source.workspacePath),
      ),
      crumbs.length > 0 && element("p", { class: "crumbs" }, ...crumbs.map((crumb) => element("span", {}, crumb))),
      source.snippet.text !== "" &&
        element("p", { class: "snippet" }, ...markedText(source.snippet.text, source.snippet.highlights)),
      element("p", { class: "where" }, element("code", { "data-testid": "source-place" }, placeOf(source))),
    ),
  );
}
