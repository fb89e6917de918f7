import { element } from "../element.ts";

/** A plot of the library as an element of the page, with what there is to say about it. Its markup escapes what stands in queries and
 *  labels, and no script of parsed markup runs. */
export function plotFigure(markup: string, caption: string, testId: string): HTMLElement {
  const parsed = new DOMParser().parseFromString(markup, "text/html").querySelector("svg");
  return element(
    "figure",
    { class: "plot", "data-testid": testId },
    parsed === null ? null : document.importNode(parsed, true),
    element("figcaption", {}, caption),
  );
}
