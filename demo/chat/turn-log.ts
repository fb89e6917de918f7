import type { ChatTurn } from "lodestore";
import { button, element } from "../element.ts";
import type { SourceLinks } from "./source-list.ts";
import { questionView, turnView } from "./turn-view.ts";

/** The turns of a conversation on the page, and what is scrolled to. */
export interface TurnLog {
  readonly element: HTMLElement;
  /** Draws a conversation anew. */
  draw(content: LogContent): void;
  /** Adds a question that has just been asked, unless it stands there, and the answer that is being made. */
  begin(question: string | null, running: HTMLElement): void;
  /** Puts a whole answer in the place of the one that was being made; the log has it read out.
   *  @returns whether that was there. */
  finish(running: HTMLElement, answer: ChatTurn): boolean;
  setBusy(isBusy: boolean): void;
  showError(text: string): void;
  /** Lets something grow, and keeps the end in sight where it was. */
  follow(grow: () => void): void;
  /** Scrolls to a turn; to the last question without a number. */
  reveal(turn?: number): void;
}

export interface LogContent {
  turns: readonly ChatTurn[];
  /** An answer that is being made, with its question where that is no turn yet. */
  running: { element: HTMLElement; question: string | null } | null;
  /** Why the last question has no answer, where it is known. */
  failure: string | undefined;
}

interface TurnLogOptions {
  links: SourceLinks;
  /** What a conversation without turns shows. */
  greeting: HTMLElement;
  onEarlier: (first: ChatTurn) => void;
  onTryAgain: (question: ChatTurn) => void;
}

/** How near to its end a log is followed, in pixels. */
const FOLLOWED = 80;
/** Room above a turn that is scrolled to, in pixels. */
const TURN_MARGIN = 16;

export function createTurnLog({ links, greeting, onEarlier, onTryAgain }: TurnLogOptions): TurnLog {
  let log = emptyLog();
  const frame = element("div", { class: "log-frame" }, log);

  function question(text: string): HTMLElement {
    return questionView({ text, citations: [], metadata: {} }, false, links);
  }

  function views({ turns, running, failure }: LogContent): HTMLElement[] {
    return turns.flatMap((turn, at) => {
      const next = turns[at + 1]?.role ?? (running === null ? "user" : "assistant");
      const isOpen = turn.role === "user" && next === "user";
      const view = turn.role === "user" ? questionView(turn, isOpen, links) : turnView(turn, links);
      view.dataset["turn"] = String(turn.index);
      return isOpen && at === turns.length - 1 ? [view, unanswered(turn, failure)] : [view];
    });
  }

  function unanswered(turn: ChatTurn, failure: string | undefined): HTMLElement {
    return element(
      "div",
      { class: "unanswered", "data-testid": "unanswered" },
      element("p", failure === undefined ? {} : { class: "error" }, failure ?? "There is no answer to this yet."),
      button({ "data-testid": "try-again", onclick: () => onTryAgain(turn) }, "Try again"),
    );
  }

  function earlier(first: ChatTurn): HTMLElement {
    return button(
      { class: "load-more", "data-testid": "earlier-turns", onclick: () => onEarlier(first) },
      "Show earlier turns",
    );
  }

  function isAtEnd(): boolean {
    return frame.scrollHeight - frame.scrollTop - frame.clientHeight < FOLLOWED;
  }

  /** Scrolls the log alone: `scrollIntoView` would also move what is around it. */
  function reveal(turn?: number): void {
    const turns = log.querySelectorAll<HTMLElement>(turn === undefined ? ".question" : `[data-turn="${turn}"]`);
    const wanted = [...turns].at(-1);
    if (wanted !== undefined) frame.scrollTo({ top: wanted.offsetTop - TURN_MARGIN });
  }

  return {
    element: frame,
    draw(content) {
      const { turns, running } = content;
      const [first] = turns;
      const next = emptyLog();
      if (first !== undefined && first.index > 0) next.append(earlier(first));
      next.append(...views(content));
      if (running !== null) {
        next.append(...(running.question === null ? [] : [question(running.question)]), running.element);
      } else if (turns.length === 0) next.append(greeting);
      log.replaceWith(next);
      log = next;
    },
    begin(text, running) {
      greeting.remove();
      const open = log.querySelector("[data-testid=unanswered]");
      open?.previousElementSibling?.querySelector(".sources")?.remove();
      open?.remove();
      log.append(...(text === null ? [] : [question(text)]), running);
      frame.scrollTo({ top: frame.scrollHeight });
    },
    finish(running, answer) {
      if (!log.contains(running)) return false;
      const wasAtEnd = isAtEnd();
      const view = turnView(answer, links);
      log.setAttribute("aria-busy", "false");
      running.replaceWith(view);
      if (!wasAtEnd) return true;
      // The whole answer with its question where both fit, else where it was being read: its passages come after it.
      reveal();
      const bottom = view.querySelector(".answer-text")?.getBoundingClientRect().bottom ?? 0;
      const below = bottom - frame.getBoundingClientRect().bottom;
      if (answer.model !== null && below > 0) frame.scrollBy({ top: below + TURN_MARGIN });
      return true;
    },
    setBusy(isBusy) {
      // Pieces of an answer are not read out; it is when it is whole.
      log.setAttribute("aria-busy", String(isBusy));
    },
    showError(text) {
      log.replaceChildren(element("p", { class: "error", role: "alert" }, text));
    },
    follow(grow) {
      const wasAtEnd = isAtEnd();
      grow();
      if (wasAtEnd) frame.scrollTo({ top: frame.scrollHeight });
    },
    reveal,
  };
}

/** A log of its own for every conversation: what was said before is not read out when one is opened. */
function emptyLog(): HTMLElement {
  return element("div", {
    class: "log",
    role: "log",
    "aria-live": "polite",
    "aria-label": "Conversation",
    tabindex: 0,
    "data-testid": "log",
  });
}
