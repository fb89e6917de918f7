import { type ChatTurn, groundCitations } from "lodestore";
import { element } from "../element.ts";
import { formatCountOf, formatTime } from "../quantities.ts";
import { answerView } from "./answer-view.ts";
import { packedSources } from "./packed-sources.ts";
import { type Source, sourceList, type SourceLinks, markerLink } from "./source-list.ts";
import { readMetadata, type TurnMetadata } from "./turn-metadata.ts";

/** The sources of a turn, numbered as its markers count them. */
export function sourcesOf(turn: Pick<ChatTurn, "citations" | "metadata">): Source[] {
  const { snippets } = readMetadata(turn);
  return turn.citations.map((citation, at) => ({
    ...citation,
    number: at + 1,
    snippet: snippets[at] ?? { text: "", highlights: [] },
  }));
}

/** A question. @param isOpen Whether it has no answer: its passages are then shown with it. */
export function questionView(
  turn: Pick<ChatTurn, "text" | "citations" | "metadata">,
  isOpen: boolean,
  links: SourceLinks,
): HTMLElement {
  const sources = isOpen ? sourcesOf(turn) : [];
  return element(
    "article",
    { class: "turn question", "data-testid": "question" },
    element("h3", { class: "visually-hidden" }, "Question"),
    element("p", { class: "question-text" }, turn.text),
    sources.length > 0 && sourceList(sources, [], links),
  );
}

/** An answer with its passages, and on what it stands. */
export function turnView(turn: ChatTurn, links: SourceLinks): HTMLElement {
  const sources = sourcesOf(turn);
  const metadata = readMetadata(turn);
  const { numbers, outcome, markers } = groundCitations(turn.text, packedSources(turn.citations));
  const unknown = [...new Set(markers.flatMap((marker) => marker.unknown))];
  return element(
    "article",
    { class: "turn answer", "data-testid": "answer", "data-kind": metadata.answer ?? turn.role },
    element("h3", { class: "visually-hidden" }, turn.role === "assistant" ? "Answer" : turn.role),
    element("div", { class: "answer-text" }, ...drawAnswer(turn.text, sources, links)),
    verdict(metadata, numbers.length, outcome === "grounded", unknown),
    sources.length > 0 && sourceList(sources, numbers, links),
    element(
      "p",
      { class: "facts" },
      [turn.model, formatTime(turn.createdAt)].filter((fact) => fact !== null).join(" · "),
    ),
  );
}

/** The text of an answer with its markers as links. */
export function drawAnswer(text: string, sources: readonly Source[], links: SourceLinks): HTMLElement[] {
  return answerView(text, packedSources(sources), (number) => {
    const source = sources[number - 1];
    return source === undefined ? element("span", {}, `[${number}]`) : markerLink(source, links);
  });
}

/** Says on what an answer of a model stands. */
function verdict(
  { answer, ended }: TurnMetadata,
  citedCount: number,
  grounded: boolean,
  unknown: readonly number[],
): HTMLElement | null {
  const notes: HTMLElement[] = [];
  const note = (kind: "good" | "warning" | "neutral", text: string): unknown =>
    notes.push(element("span", { class: `verdict ${kind}` }, text));
  if (ended === "stopped") note("neutral", "Stopped by you");
  if (ended === "limit") note("warning", "Cut at the model’s limit");
  if (answer === "model") {
    if (grounded) note("good", `Grounded in ${formatCountOf(citedCount, "passage")}`);
    else if (unknown.length === 0) note("warning", "Not grounded: it cites none of the passages");
    else note("warning", `Not grounded: it cites passages that are not there (${unknown.join(", ")})`);
  }
  return notes.length === 0 ? null : element("p", { class: "verdicts", "data-testid": "verdict" }, ...notes);
}
