import type { Store } from "lodestore";
import type { Announcer } from "../announcer.ts";
import { button, element } from "../element.ts";
import { icon } from "../icons.ts";
import { formatHash, type OpenTarget, sameTarget, type ViewState } from "../url-state.ts";
import { createComposer } from "./composer.ts";
import { createConversation } from "./conversation.ts";
import { createConversationHead } from "./conversation-head.ts";
import { type EndpointChoice, endpointHost, readEndpoint } from "./endpoint-choice.ts";
import { createEndpointSheet } from "./endpoint-sheet.ts";
import { createSessionList } from "./session-list.ts";
import { type Source, targetOf } from "./source-list.ts";

export interface ChatPanel {
  readonly element: HTMLElement;
  /** Shows the state's conversation. */
  show(state: ViewState): void;
  /** Reads the conversations anew. @param documents Documents in the store. */
  refresh(documents: number): void;
  /** The words that brought the source that is open. */
  wordsOf(target: OpenTarget): readonly string[];
  /** Moves the focus back to the source that is open, else to the question. */
  focus(): void;
}

interface ChatPanelOptions {
  store: Store;
  announcer: Announcer;
  signal: AbortSignal;
  /** Whether the store makes embeddings. */
  byMeaning: boolean;
  state: () => ViewState;
  onGo: (change: Partial<ViewState>) => void;
  onReplace: (change: Partial<ViewState>) => void;
  onOpen: (target: OpenTarget) => void;
  /** Another model answers, or none: its host. */
  onModel: (host: string | null) => void;
  onError: (error: unknown) => void;
}

/** Conversations with the documents. */
export function createChatPanel(options: ChatPanelOptions): ChatPanel {
  const { store, announcer, signal, byMeaning, state, onGo, onReplace, onOpen, onModel, onError } = options;
  let model: EndpointChoice | null = readEndpoint();
  let opened: { source: Source; link: HTMLElement } | null = null;
  let turnAsked: number | undefined;
  let isListed = false;

  const hint = element("p", {});
  const title = element("h3", {}, "Ask your documents");
  const greeting = element("div", { class: "greeting", "data-testid": "greeting" }, title, hint);
  const modelLine = element("span", { "data-testid": "chat-answerer" });
  const modelButton = button({ class: "quiet", "data-testid": "chat-settings", onclick: () => sheet.open() });
  const sheet = createEndpointSheet((choice) => {
    model = choice;
    showModel();
  });
  const listButton = button(
    {
      class: "quiet square",
      "aria-label": "Conversations",
      title: "Conversations",
      "data-testid": "show-sessions",
      onclick: () => showList(true),
    },
    icon("list"),
  );
  const list = createSessionList({
    store,
    hrefOf: (id) => formatHash({ ...state(), view: "chat", session: id, open: null }),
    onChoose(id, turn) {
      showList(false);
      turnAsked = turn;
      onGo({ session: id });
      if (id === null) composer.focus();
      else head.focus();
    },
    onBack: leaveList,
  });
  const head = createConversationHead({
    store,
    before: listButton,
    onRenamed: () => void list.refresh(),
    onDelete: () => conversation.stop(),
    onDeleted() {
      announcer.say("The conversation is deleted.");
      void list.refresh();
      onReplace({ session: null, open: null });
      composer.focus();
    },
    onError,
  });
  const composer = createComposer({
    onAsk: (question) => void conversation.ask(question),
    onStop: () => conversation.stop(),
    footer: element("p", { class: "composer-footer" }, modelLine, modelButton),
  });
  const conversation = createConversation({
    store,
    announcer,
    signal,
    byMeaning,
    model: () => model,
    links: {
      hrefOf: (target) => formatHash({ ...state(), open: target }),
      onOpen(source, link) {
        opened = { source, link };
        onOpen(targetOf(source));
      },
    },
    greeting,
    onBegun: (id) => onReplace({ session: id }),
    onTurn: () => void list.refresh(),
    onBusy: (isBusy) => composer.setBusy(isBusy),
    onShown: (session) => head.show(session),
    onError,
  });
  const panel = element(
    "section",
    { class: "chat-pane", "aria-label": "Chat", "data-testid": "chat" },
    list.element,
    element("div", { class: "conversation" }, head.element, conversation.element, composer.element),
    sheet.element,
  );

  function showList(isShown: boolean): void {
    panel.toggleAttribute("data-list", isShown);
    listButton.setAttribute("aria-expanded", String(isShown));
    if (isShown) list.focus();
  }

  function leaveList(): void {
    showList(false);
    listButton.focus();
  }

  function showModel(): void {
    modelLine.textContent =
      model === null
        ? "No model connected: answers are passages, nothing is sent."
        : `${model.endpoint.model} answers. Questions, last turns and passages are sent to ${endpointHost(model)}.`;
    modelButton.textContent = model === null ? "Connect a model" : "Change";
    onModel(model === null ? null : endpointHost(model));
  }

  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !panel.hasAttribute("data-list")) return;
    event.preventDefault();
    leaveList();
  });
  showList(false);
  showModel();

  return {
    element: panel,
    show({ session }) {
      if (!isListed) {
        isListed = true;
        void list.refresh();
      }
      list.show(session);
      void conversation.show(session, turnAsked);
      turnAsked = undefined;
    },
    refresh(documents) {
      hint.textContent = greetingText(documents, byMeaning);
      if (isListed) void list.refresh();
    },
    wordsOf(target) {
      if (opened === null || !sameTarget(targetOf(opened.source), target)) return [];
      const { text, highlights } = opened.source.snippet;
      return [...new Set(highlights.map(([start, end]) => text.slice(start, end)))];
    },
    focus() {
      if (opened?.link.isConnected === true) opened.link.focus();
      else composer.focus();
    },
  };
}

function greetingText(documents: number, byMeaning: boolean): string {
  if (documents === 0) return "There are no documents yet. Add files or a folder, then ask.";
  const how = byMeaning ? "by words and by meaning" : "by words";
  return `A question is searched for ${how} in this browser. You get the passages that answer it, each at its place in its document; with a model connected, an answer that cites them.`;
}
