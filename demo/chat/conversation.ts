import type { ChatSession, ChatTurn, Store } from "lodestore";
import type { Announcer } from "../announcer.ts";
import { button, element } from "../element.ts";
import { errorCode, errorText } from "../error-text.ts";
import { answerQuestion } from "./answer-question.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import { findPassages } from "./find-passages.ts";
import { citationOf } from "./passage.ts";
import { createRunningAnswer, type RunningAnswer } from "./running-answer.ts";
import { shortened } from "./shortened.ts";
import type { SourceLinks } from "./source-list.ts";
import { metadataOf } from "./turn-metadata.ts";
import { questionView, turnView } from "./turn-view.ts";

export interface Conversation {
  readonly element: HTMLElement;
  /** Shows a conversation, `null` for a new one, from its end or from one of its turns. */
  show(session: string | null, turn?: number): Promise<void>;
  /** Asks in the conversation that is shown. */
  ask(question: string): Promise<void>;
  /** Stops the answer that is made here. */
  stop(): void;
}

interface ConversationOptions {
  store: Store;
  announcer: Announcer;
  /** Ends all that runs. */
  signal: AbortSignal;
  byMeaning: boolean;
  model: () => EndpointChoice | null;
  links: SourceLinks;
  /** What a conversation without turns shows. */
  greeting: HTMLElement;
  /** A conversation has begun: it is shown next. */
  onBegun: (session: string) => void;
  /** A turn was appended. */
  onTurn: () => void;
  /** Whether an answer is being made in what is shown. */
  onBusy: (isBusy: boolean) => void;
  onShown: (session: ChatSession | null) => void;
}

/** A question on its way to an answer. */
interface Run {
  session: string | null;
  question: string;
  abort: AbortController;
  answer: RunningAnswer;
}

const TURNS_A_PAGE = 20;
/** Turns that are read for the model. */
const HISTORY_TURNS = 12;
const TITLE_LENGTH = 80;
/** How near to its end a log is followed, in pixels. */
const FOLLOWED = 80;
/** Room above a turn that is scrolled to, in pixels. */
const TURN_MARGIN = 16;

/** One conversation: its turns, and the answer that is being made. Answers go on while another conversation is looked at. */
export function createConversation(options: ConversationOptions): Conversation {
  const { store, announcer, signal, byMeaning, model, links, greeting, onBegun, onTurn, onBusy, onShown } = options;
  const frame = element("div", { class: "log-frame" });
  const runs = new Set<Run>();
  /** Why the last question of a conversation has no answer. */
  const failures = new Map<string, string>();
  let session: string | null = null;
  let log = makeLog();
  let isLoading = false;
  let wanted = 0;

  frame.append(log);

  // A log of its own for every conversation: what was said before is not read out when one is opened.
  function makeLog(): HTMLElement {
    return element("div", {
      class: "log",
      role: "log",
      "aria-live": "polite",
      "aria-label": "Conversation",
      tabindex: 0,
      "data-testid": "log",
    });
  }

  function runHere(): Run | undefined {
    return [...runs].find((run) => run.session === session);
  }

  function showBusy(): void {
    const isBusy = runHere() !== undefined;
    // Pieces of an answer are not read out; it is when it is whole.
    log.setAttribute("aria-busy", String(isBusy));
    onBusy(isBusy);
  }

  async function show(next: string | null, turn?: number): Promise<void> {
    const mine = ++wanted;
    isLoading = true;
    session = next;
    try {
      const found = next === null ? undefined : await store.chat.getSession(next);
      const pages = found === undefined ? [] : await lastTurns(found, turn);
      if (mine !== wanted) return;
      draw(found ?? null, pages);
      if (next !== null && found === undefined) {
        log.replaceChildren(
          element("p", { class: "error", role: "alert" }, "This conversation is not in the store any more."),
        );
      }
      if (turn === undefined) revealLastQuestion();
      else reveal(log.querySelector<HTMLElement>(`[data-turn="${turn}"]`));
    } catch (error) {
      if (mine === wanted && errorCode(error) !== "CLOSED") {
        log.replaceChildren(element("p", { class: "error", role: "alert" }, errorText(error)));
      }
    } finally {
      if (mine === wanted) isLoading = false;
    }
  }

  /** The newest turns, oldest first: a page of them, or as many as reach back to `turn`. */
  async function lastTurns({ id }: ChatSession, turn = Number.POSITIVE_INFINITY): Promise<ChatTurn[]> {
    const turns: ChatTurn[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.chat.listTurns(id, { order: "newest", limit: TURNS_A_PAGE, ...(cursor && { cursor }) });
      turns.unshift(...page.items.toReversed());
      cursor = page.nextCursor;
    } while (cursor !== undefined && (turns[0]?.index ?? 0) > turn);
    return turns;
  }

  function draw(found: ChatSession | null, turns: readonly ChatTurn[]): void {
    const next = makeLog();
    const run = runHere();
    if ((turns[0]?.index ?? 0) > 0) next.append(earlierButton(turns[0]));
    next.append(...views(turns, run === undefined));
    if (run !== undefined) {
      if (session === null) next.append(question(run.question));
      next.append(run.answer.element);
    } else if (turns.length === 0) next.append(greeting);
    log.replaceWith(next);
    log = next;
    showBusy();
    onShown(found);
  }

  /** @param isEnd Whether nothing comes after them: a question at the end then waits for an answer. */
  function views(turns: readonly ChatTurn[], isEnd: boolean): HTMLElement[] {
    return turns.flatMap((turn, at) => {
      const isOpen = turn.role === "user" && (turns[at + 1]?.role ?? (isEnd ? "user" : "assistant")) === "user";
      const view = turn.role === "user" ? questionView(turn, isOpen, links) : turnView(turn, links);
      view.dataset["turn"] = String(turn.index);
      return isOpen && at === turns.length - 1 ? [view, unanswered(turn)] : [view];
    });
  }

  function question(text: string): HTMLElement {
    return questionView({ text, citations: [], metadata: {} }, false, links);
  }

  function earlierButton(first: ChatTurn | undefined): HTMLElement {
    const earlier = button({ class: "load-more", "data-testid": "earlier-turns" }, "Show earlier turns");
    earlier.addEventListener("click", () => void show(session, Math.max(0, (first?.index ?? 0) - TURNS_A_PAGE)));
    return earlier;
  }

  function unanswered(turn: ChatTurn): HTMLElement {
    const failure = failures.get(turn.sessionId);
    return element(
      "div",
      { class: "unanswered", "data-testid": "unanswered" },
      element("p", failure === undefined ? {} : { class: "error" }, failure ?? "There is no answer to this yet."),
      button({ "data-testid": "try-again", onclick: () => void run(turn.text, turn) }, "Try again"),
    );
  }

  function revealLastQuestion(): void {
    reveal([...log.querySelectorAll<HTMLElement>(".question")].at(-1));
  }

  /** Scrolls the log alone: `scrollIntoView` would also move what is around it. */
  function reveal(turn: HTMLElement | null | undefined): void {
    if (turn) frame.scrollTo({ top: turn.offsetTop - TURN_MARGIN });
  }

  function follow(): void {
    const isNearEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < FOLLOWED;
    if (isNearEnd) frame.scrollTo({ top: frame.scrollHeight });
  }

  /** @param asked The turn of the question, where it is in the store already. */
  async function run(text: string, asked?: ChatTurn): Promise<void> {
    if (runHere() !== undefined) return;
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const answer = createRunningAnswer(links, follow);
    const mine: Run = { session, question: text, abort, answer };
    runs.add(mine);
    greeting.remove();
    const open = log.querySelector("[data-testid=unanswered]");
    open?.previousElementSibling?.querySelector(".sources")?.remove();
    open?.remove();
    log.append(...(asked === undefined ? [question(text)] : []), answer.element);
    showBusy();
    frame.scrollTo({ top: frame.scrollHeight });
    let isAsked = asked !== undefined;
    let answered: ChatTurn | undefined;
    try {
      const passages = await findPassages(store, text, { byMeaning, signal: both });
      const id = mine.session ?? (await store.chat.createSession({ title: titleFrom(text) })).id;
      const turns = await history(id, asked);
      if (!isAsked) {
        await store.chat.appendTurn(id, {
          role: "user",
          text,
          citations: passages.map(citationOf),
          metadata: metadataOf(null, passages),
        });
        isAsked = true;
      }
      failures.delete(id);
      if (mine.session === null) {
        mine.session = id;
        if (session === null) onBegun(id);
      }
      onTurn();
      const turn = await answerQuestion(text, passages, {
        model: model(),
        turns,
        signal: both,
        onProgress: (packed, said) => answer.show(packed, said),
      });
      answered = await store.chat.appendTurn(id, turn);
    } catch (error) {
      if (signal.aborted) return;
      const said = abort.signal.aborted ? "Stopped before there was an answer." : errorText(error);
      if (mine.session !== null) failures.set(mine.session, said);
      announcer.say(said);
      if (!isAsked) showLost(mine, said);
    } finally {
      runs.delete(mine);
      if (!signal.aborted) {
        if (isAsked && mine.session === session) await showEnd(mine, answered);
        showBusy();
        onTurn();
      }
    }
  }

  /** Puts the whole answer in the place of the running one: the log has it read out. */
  async function showEnd(ended: Run, answered: ChatTurn | undefined): Promise<void> {
    const { element } = ended.answer;
    if (answered === undefined || isLoading || !element.isConnected) return show(session);
    const wasStreamed = answered.model !== null;
    log.setAttribute("aria-busy", "false");
    element.replaceWith(...views([answered], true));
    if (!wasStreamed) revealLastQuestion();
  }

  /** A question that did not even come into the store: it stands there to be asked again. */
  function showLost(lost: Run, said: string): void {
    if (lost.session !== session) return;
    lost.answer.element.replaceChildren(
      element("p", { class: "error", role: "alert" }, said),
      button({ "data-testid": "try-again", onclick: () => again() }, "Try again"),
    );
    const again = (): void => {
      lost.answer.element.previousElementSibling?.remove();
      lost.answer.element.remove();
      void run(lost.question);
    };
  }

  /** The last turns before the question, oldest first. */
  async function history(id: string, asked: ChatTurn | undefined): Promise<ChatTurn[]> {
    const { items } = await store.chat.listTurns(id, { order: "newest", limit: HISTORY_TURNS });
    return items.filter(({ index }) => asked === undefined || index < asked.index).toReversed();
  }

  return {
    element: frame,
    show: async (next, turn) => {
      if (next !== session || turn !== undefined || !log.hasChildNodes()) await show(next, turn);
    },
    ask: (text) => run(text),
    stop: () => runHere()?.abort.abort(),
  };
}

/** A title from the first question. */
function titleFrom(question: string): string {
  return shortened(question.replace(/\s+/g, " ").trim(), TITLE_LENGTH);
}
