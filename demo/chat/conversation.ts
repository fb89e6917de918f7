import type { ChatSession, ChatTurn, Store } from "lodestore";
import type { Announcer } from "../announcer.ts";
import { button, element } from "../element.ts";
import { errorCode, errorText } from "../error-text.ts";
import { answerQuestion } from "./answer-question.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import { findPassages, questionMode } from "./find-passages.ts";
import { citationOf, type Passage } from "./passage.ts";
import { recordAnswer } from "./record-answer.ts";
import { createRunningAnswer, type RunningAnswer } from "./running-answer.ts";
import { shortened } from "./shortened.ts";
import type { SourceLinks } from "./source-list.ts";
import { createTurnLog } from "./turn-log.ts";
import { metadataOf } from "./turn-metadata.ts";

export interface Conversation {
  readonly element: HTMLElement;
  /** Shows a conversation, `null` for a new one, from its last question or from one of its turns. */
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
  /** An answer stands, and could not be kept among the answers. */
  onError: (error: unknown) => void;
}

/** A question on its way to an answer. */
interface Run {
  session: string | null;
  question: string;
  /** The turn of the question, once it is in the store. */
  asked: ChatTurn | undefined;
  abort: AbortController;
  answer: RunningAnswer;
}

const TURNS_A_PAGE = 20;
/** Turns that are read for the model. */
const HISTORY_TURNS = 12;
const TITLE_LENGTH = 80;

/** One conversation: its turns, and the answer that is being made. Answers go on while another conversation is looked at. */
export function createConversation(options: ConversationOptions): Conversation {
  const { store, announcer, signal, byMeaning, model, links, greeting, onBegun, onTurn, onBusy, onShown, onError } =
    options;
  const log = createTurnLog({
    links,
    greeting,
    onEarlier: ({ index }) => void show(session, Math.max(0, index - TURNS_A_PAGE)),
    onTryAgain: (turn) => void run(turn.text, turn),
  });
  const runs = new Set<Run>();
  /** Why the last question of a conversation has no answer. */
  const failures = new Map<string, string>();
  let session: string | null = null;
  let isShown = false;
  let isLoading = false;
  let wanted = 0;

  function runHere(): Run | undefined {
    return [...runs].find((run) => run.session === session);
  }

  function showBusy(): void {
    const isBusy = runHere() !== undefined;
    log.setBusy(isBusy);
    onBusy(isBusy);
  }

  async function show(next: string | null, turn?: number): Promise<void> {
    const mine = ++wanted;
    isLoading = true;
    isShown = true;
    session = next;
    try {
      const found = next === null ? undefined : await store.chat.getSession(next);
      const turns = found === undefined ? [] : await lastTurns(found.id, turn);
      if (mine !== wanted) return;
      const run = runHere();
      const running = run && { element: run.answer.element, question: run.asked === undefined ? run.question : null };
      log.draw({ turns, running: running ?? null, failure: next === null ? undefined : failures.get(next) });
      showBusy();
      onShown(found ?? null);
      if (next !== null && found === undefined) log.showError("This conversation is not in the store any more.");
      log.reveal(turn);
    } catch (error) {
      if (mine === wanted && errorCode(error) !== "CLOSED") log.showError(errorText(error));
    } finally {
      if (mine === wanted) isLoading = false;
    }
  }

  /** The newest turns, oldest first: a page of them, or as many as reach back to `turn`. */
  async function lastTurns(id: string, turn = Number.POSITIVE_INFINITY): Promise<ChatTurn[]> {
    const turns: ChatTurn[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.chat.listTurns(id, { order: "newest", limit: TURNS_A_PAGE, ...(cursor && { cursor }) });
      turns.unshift(...page.items.toReversed());
      cursor = page.nextCursor;
    } while (cursor !== undefined && (turns[0]?.index ?? 0) > turn);
    return turns;
  }

  /** @param asked The turn of the question, where it is in the store already. */
  async function run(question: string, asked?: ChatTurn): Promise<void> {
    if (runHere() !== undefined) return;
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const answer = createRunningAnswer(links, (grow) => log.follow(grow));
    const mine: Run = { session, question, asked, abort, answer };
    runs.add(mine);
    log.begin(asked === undefined ? question : null, answer.element);
    showBusy();
    let answered: ChatTurn | undefined;
    const startedAt = performance.now();
    try {
      const passages = await findPassages(store, question, { byMeaning, signal: both });
      const turn = await enter(mine, passages);
      const made = await answerQuestion(question, passages, {
        model: model(),
        turns: await turnsBefore(turn),
        signal: both,
        onProgress: (packed, said) => answer.show(packed, said),
      });
      const latencyMs = performance.now() - startedAt;
      answered = await store.chat.appendTurn(turn.sessionId, made.turn);
      const { packedChunks } = made;
      const mode = questionMode(byMeaning);
      recordAnswer(store, answered, { question, mode, packedChunks, latencyMs }).catch(onError);
    } catch (error) {
      if (signal.aborted) return;
      const said = abort.signal.aborted ? "Stopped before there was an answer." : errorText(error);
      announcer.say(said);
      if (mine.asked === undefined) showLost(mine, said);
      else failures.set(mine.asked.sessionId, said);
    } finally {
      runs.delete(mine);
      if (!signal.aborted) await end(mine, answered);
    }
  }

  /** Puts the question into the store, in a new conversation where there is none, unless it is there. */
  async function enter(mine: Run, passages: readonly Passage[]): Promise<ChatTurn> {
    if (mine.asked !== undefined) {
      failures.delete(mine.asked.sessionId);
      return mine.asked;
    }
    const { question } = mine;
    const title = shortened(question.replace(/\s+/g, " ").trim(), TITLE_LENGTH);
    const id = mine.session ?? (await store.chat.createSession({ title })).id;
    mine.asked = await store.chat.appendTurn(id, {
      role: "user",
      text: question,
      citations: passages.map(citationOf),
      metadata: metadataOf(null, passages),
    });
    failures.delete(id);
    if (mine.session === null) {
      mine.session = id;
      if (session === null) onBegun(id);
    }
    onTurn();
    return mine.asked;
  }

  /** The last turns before the question, oldest first. */
  async function turnsBefore({ sessionId, index }: ChatTurn): Promise<ChatTurn[]> {
    const { items } = await store.chat.listTurns(sessionId, { order: "newest", limit: HISTORY_TURNS });
    return items.filter((turn) => turn.index < index).toReversed();
  }

  async function end(ended: Run, answered: ChatTurn | undefined): Promise<void> {
    if (ended.asked !== undefined && ended.session === session) {
      const isFinished = answered !== undefined && !isLoading && log.finish(ended.answer.element, answered);
      if (!isFinished) await show(session);
    }
    showBusy();
    onTurn();
  }

  /** A question that did not even come into the store: it stands there to be asked again. */
  function showLost({ session: asked, question, answer }: Run, said: string): void {
    if (asked !== session) return;
    const again = (): void => {
      answer.element.previousElementSibling?.remove();
      answer.element.remove();
      void run(question);
    };
    answer.element.replaceChildren(
      element("p", { class: "error", role: "alert" }, said),
      element("div", {}, button({ "data-testid": "try-again", onclick: again }, "Try again")),
    );
  }

  return {
    element: log.element,
    show: async (next, turn) => {
      if (!isShown || next !== session || turn !== undefined) await show(next, turn);
    },
    ask: (question) => run(question),
    stop: () => runHere()?.abort.abort(),
  };
}
