import type { PackedSource } from "lodestore";
import { element } from "../element.ts";
import { answerBlocks } from "./answer-blocks.ts";
import { inlineParts } from "./inline-parts.ts";

/** Makes the link of the citation with this number. */
export type CitationLink = (number: number) => HTMLElement;

/** Draws an answer as elements and text nodes: nothing in it is ever read as HTML.
 *  @param sources What markers may stand for. */
export function answerView(text: string, sources: readonly PackedSource[], link: CitationLink): HTMLElement[] {
  return answerBlocks(text).map((block) => {
    switch (block.kind) {
      case "paragraph":
        return element("p", {}, ...inline(block.text, sources, link));
      case "heading":
        return element("p", { class: "answer-heading" }, element("b", {}, ...inline(block.text, sources, link)));
      case "code":
        return element("pre", { tabindex: 0, "aria-label": "Code" }, element("code", {}, block.text));
      case "list": {
        const items = block.items.map((item) => element("li", {}, ...inline(item, sources, link)));
        return block.ordered ? element("ol", { start: block.start }, ...items) : element("ul", {}, ...items);
      }
    }
  });
}

function inline(text: string, sources: readonly PackedSource[], link: CitationLink): (Node | string)[] {
  return inlineParts(text, sources).flatMap((part) => {
    switch (part.kind) {
      case "text":
        return [part.text];
      case "code":
        return [element("code", {}, part.text)];
      case "strong":
        return [element("b", {}, part.text)];
      case "citation":
        return [...part.numbers.map(link), part.unknown.length > 0 ? `[${part.unknown.join(", ")}]` : ""];
    }
  });
}
