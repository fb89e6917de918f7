import { element } from "../element.ts";
import { formatCountOf } from "../quantities.ts";
import type { Passage } from "./passage.ts";
import { type Source, sourceList, type SourceLinks } from "./source-list.ts";
import { drawAnswer } from "./turn-view.ts";

/** An answer while it is made: its passages at once, its text as it comes. */
export interface RunningAnswer {
  readonly element: HTMLElement;
  show(passages: readonly Passage[], text: string): void;
}

/** @param follow Lets the text grow, and keeps its end in sight where it was. */
export function createRunningAnswer(links: SourceLinks, follow: (grow: () => void) => void): RunningAnswer {
  const status = element("p", { class: "running-status" }, "Searching your documents…");
  const body = element("div", { class: "answer-text" });
  const place = element("div");
  let shown: readonly Passage[] = [];
  let sources: Source[] = [];
  let latest = "";
  let isDrawing = false;

  function draw(): void {
    isDrawing = false;
    follow(() => body.replaceChildren(...drawAnswer(latest, sources, links)));
  }

  return {
    element: element(
      "article",
      { class: "turn answer running", "data-testid": "running" },
      element("h3", { class: "visually-hidden" }, "Answer"),
      status,
      body,
      place,
    ),
    show(passages, text) {
      if (passages !== shown) {
        shown = passages;
        sources = passages.map((passage, at) => ({ ...passage, number: at + 1 }));
        place.replaceChildren(sourceList(sources, [], links));
      }
      const found = formatCountOf(passages.length, "passage");
      status.textContent = text === "" ? `${found} found. Waiting for the model…` : `Answering from ${found}…`;
      latest = text;
      if (text === "" || isDrawing) return;
      // Tokens come faster than frames.
      isDrawing = true;
      requestAnimationFrame(draw);
    },
  };
}
