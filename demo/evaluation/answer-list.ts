import type { Answer, AnswerOutcome, Store } from "lodestore";
import { placeOf } from "../chat/passage.ts";
import { shortened } from "../chat/shortened.ts";
import { button, element } from "../element.ts";
import { createKeyedList } from "../keyed-list.ts";
import { formatCountOf, formatDuration, formatTime } from "../quantities.ts";
import type { ViewState } from "../url-state.ts";

export interface AnswerList {
  readonly element: HTMLElement;
  /** Reads the answers anew. */
  look(): Promise<void>;
}

interface AnswerListOptions {
  store: Store;
  hrefOf: (change: Partial<ViewState>) => string;
  onError: (error: unknown) => void;
}

const OUTCOME_NAMES: Readonly<Record<AnswerOutcome, string>> = {
  grounded: "Grounded",
  ungrounded: "Ungrounded",
  refused: "Refused",
};
const ANSWERS_A_PAGE = 20;
const MOST_ANSWERS = 1000;
const LONGEST_TEXT = 300;

/** What the chat answered, and on what each answer stands. */
export function createAnswerList({ store, hrefOf, onError }: AnswerListOptions): AnswerList {
  let wanted = ANSWERS_A_PAGE;
  const outcome = element(
    "select",
    { "aria-label": "Outcome", "data-testid": "answer-filter" },
    element("option", { value: "" }, "Any outcome"),
    ...Object.entries(OUTCOME_NAMES).map(([value, name]) => element("option", { value }, name)),
  );
  outcome.addEventListener("change", () => {
    wanted = ANSWERS_A_PAGE;
    look().catch(onError);
  });
  const count = element("p", { class: "hint", role: "status", "data-testid": "answers-count" });
  const list = element("ul", { class: "jobs", "data-testid": "answers" });
  // An answer is never changed: its row is drawn once.
  const showAnswers = createKeyedList<Answer>(list, (answer) => ({
    element: answerRow(answer, hrefOf),
    show: () => {},
  }));
  const more = button(
    {
      class: "load-more",
      hidden: true,
      "data-testid": "answers-more",
      onclick: () => {
        wanted = Math.min(MOST_ANSWERS, wanted + ANSWERS_A_PAGE);
        look().catch(onError);
      },
    },
    "Load more",
  );

  async function look(): Promise<void> {
    const { value } = outcome;
    const filter = value === "" ? {} : { outcome: value as AnswerOutcome };
    const { items, nextCursor } = await store.answers.list(filter, { limit: wanted });
    if (value !== outcome.value) return;
    showAnswers(items);
    more.hidden = nextCursor === undefined || wanted === MOST_ANSWERS;
    const newest = nextCursor === undefined ? "" : "the newest ";
    count.textContent =
      items.length > 0
        ? `${newest}${formatCountOf(items.length, "answer")}, newest first`
        : value === ""
          ? "What the chat answers is listed here, with what it stands on."
          : "No answer is like that.";
  }

  return {
    element: element(
      "section",
      { class: "work-section", "aria-labelledby": "answers-title" },
      element("div", { class: "work-head" }, element("h3", { id: "answers-title" }, "Answers of the chat"), outcome),
      count,
      list,
      more,
    ),
    look,
  };
}

function answerRow(answer: Answer, hrefOf: AnswerListOptions["hrefOf"]): HTMLElement {
  const { query, outcome, text, refusalReason, citations, packedChunks, model, latencyMs, sessionId, createdAt } =
    answer;
  const said = [
    model ?? "no model",
    citations.length > 0 ? `${formatCountOf(citations.length, "passage")} cited` : "",
    packedChunks.length > 0 ? `${formatCountOf(packedChunks.length, "passage")} given` : "",
    latencyMs === null ? "" : formatDuration(latencyMs),
    formatTime(createdAt),
  ];
  return element(
    "li",
    { class: "job", "data-testid": "answer-row", "data-outcome": outcome },
    element(
      "div",
      { class: "job-head" },
      element(
        "h4",
        {},
        sessionId === null ? query : element("a", { href: hrefOf({ view: "chat", session: sessionId }) }, query),
      ),
      element("span", { class: "outcome", "data-outcome": outcome }, OUTCOME_NAMES[outcome]),
    ),
    element("p", { class: "answer-begin" }, refusalReason ?? shortened(text.replace(/\s+/g, " ").trim(), LONGEST_TEXT)),
    citations.length > 0 &&
      element(
        "details",
        {},
        element("summary", {}, "Passages cited"),
        element(
          "ul",
          { class: "cited-places" },
          ...citations.map((citation) =>
            element("li", {}, citation.title || citation.workspacePath, " ", element("code", {}, placeOf(citation))),
          ),
        ),
      ),
    element("p", { class: "facts" }, said.filter((part) => part !== "").join(" · ")),
  );
}
