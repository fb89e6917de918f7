import type { ChatExportFormat, ChatSession, Store } from "lodestore";
import type { Announcer } from "../announcer.ts";
import { confirmDialog } from "../confirm-dialog.ts";
import { downloadText, fileName } from "../download-text.ts";
import { button, element } from "../element.ts";
import { icon, type IconName } from "../icons.ts";
import { formatCountOf } from "../quantities.ts";
import { textDialog } from "../text-dialog.ts";
import { formatHash, type OpenTarget, sameTarget, type ViewState } from "../url-state.ts";
import { createComposer } from "./composer.ts";
import { createConversation } from "./conversation.ts";
import { type EndpointChoice, endpointHost, readEndpoint } from "./endpoint-choice.ts";
import { createEndpointSheet } from "./endpoint-sheet.ts";
import { createSessionList, titleOf } from "./session-list.ts";
import { type Source, targetOf } from "./source-list.ts";

export interface ChatPanel {
  readonly element: HTMLElement;
  /** Shows the state's conversation. */
  show(state: ViewState): void;
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
  onModel: (host: string | null) => void;
  onError: (error: unknown) => void;
}

const LONGEST_TITLE = 500;

/** Conversations with the documents. */
export function createChatPanel(options: ChatPanelOptions): ChatPanel {
  const { store, announcer, signal, byMeaning, state, onGo, onReplace, onOpen, onModel, onError } = options;
  let model: EndpointChoice | null = readEndpoint();
  let session: ChatSession | null = null;
  let opened: { source: Source; link: HTMLElement } | null = null;
  let turnAsked: number | undefined;

  const modelLine = element("span", { "data-testid": "chat-answerer" });
  const modelButton = button({ class: "quiet", "data-testid": "chat-settings", onclick: () => sheet.open() });
  const sheet = createEndpointSheet((choice) => {
    model = choice;
    showModel();
  });
  const title = element("h2", { tabindex: "-1", "data-testid": "chat-title" });
  const tool = (
    label: string,
    image: IconName,
    testId: string,
    onclick: () => void,
    text?: string,
  ): HTMLButtonElement =>
    button(
      {
        class: text === undefined ? "quiet square" : "quiet",
        "aria-label": label,
        title: label,
        "data-testid": testId,
        onclick,
      },
      icon(image),
      text,
    );
  const tools = element(
    "div",
    { class: "conversation-tools" },
    tool("Rename this conversation", "pencil", "rename-session", () => void rename()),
    tool("Download as Markdown", "download", "export-markdown", () => void download("markdown"), "MD"),
    tool("Download as JSON", "download", "export-json", () => void download("json"), "JSON"),
    tool("Delete this conversation", "trash", "delete-session", () => void remove()),
  );
  const listButton = tool("Conversations", "list", "show-sessions", () => showList(!panel.hasAttribute("data-list")));
  const list = createSessionList({
    store,
    hrefOf: (id) => formatHash({ ...state(), view: "chat", session: id, open: null }),
    onChoose(id, turn) {
      showList(false);
      turnAsked = turn;
      onGo({ session: id });
      if (id === null) composer.focus();
      else title.focus();
    },
    onBack: () => leaveList(),
  });
  function leaveList(): void {
    showList(false);
    listButton.focus();
  }

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
    greeting: greeting(byMeaning),
    onBegun: (id) => onReplace({ session: id }),
    onTurn: () => void list.refresh(),
    onBusy: (isBusy) => composer.setBusy(isBusy),
    onShown(shown) {
      session = shown;
      title.textContent = shown === null ? "New conversation" : titleOf(shown.title);
      tools.hidden = shown === null;
    },
  });
  const panel = element(
    "section",
    { class: "chat-pane", "aria-label": "Chat", "data-testid": "chat" },
    list.element,
    element(
      "div",
      { class: "conversation" },
      element("header", { class: "conversation-head" }, listButton, title, tools),
      conversation.element,
      composer.element,
    ),
    sheet.element,
  );
  let isListed = false;

  function showList(isShown: boolean): void {
    panel.toggleAttribute("data-list", isShown);
    listButton.setAttribute("aria-expanded", String(isShown));
    if (isShown) list.focus();
  }

  function showModel(): void {
    modelLine.textContent =
      model === null
        ? "No model connected: answers are passages, nothing is sent."
        : `${model.endpoint.model} answers. Questions, last turns and passages are sent to ${endpointHost(model)}.`;
    modelButton.textContent = model === null ? "Connect a model" : "Change";
    onModel(model === null ? null : endpointHost(model));
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
  }

  function rename(): Promise<void> {
    return attempt(async () => {
      if (session === null) return;
      const { id, title: old } = session;
      const given = await textDialog({
        title: "Rename this conversation",
        label: "Title",
        value: old ?? "",
        maxLength: LONGEST_TITLE,
        action: "Rename",
      });
      if (given === null) return;
      const renamed = await store.chat.renameSession(id, given);
      if (session.id === id) {
        session = renamed;
        title.textContent = given;
      }
      await list.refresh();
    });
  }

  function remove(): Promise<void> {
    return attempt(async () => {
      if (session === null) return;
      const { id, title: old } = session;
      const turnCount = (await store.chat.getSession(id))?.turnCount ?? 0;
      const isSure = await confirmDialog({
        title: "Delete this conversation?",
        detail: `“${titleOf(old)}” and its ${formatCountOf(turnCount, "turn")} leave the store. The documents stay.`,
        action: "Delete conversation",
      });
      if (!isSure) return;
      conversation.stop();
      await store.chat.deleteSession(id);
      announcer.say("The conversation is deleted.");
      await list.refresh();
      onReplace({ session: null, open: null });
      composer.focus();
    });
  }

  function download(format: ChatExportFormat): Promise<void> {
    return attempt(async () => {
      if (session === null) return;
      const text = await store.chat.exportSession(session.id, format);
      const [type, ending] = format === "json" ? ["application/json", "json"] : ["text/markdown", "md"];
      downloadText(fileName(titleOf(session.title), ending), type, text);
    });
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
    show(next) {
      if (!isListed) {
        isListed = true;
        void list.refresh();
      }
      list.show(next.session);
      void conversation.show(next.session, turnAsked);
      turnAsked = undefined;
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

function greeting(byMeaning: boolean): HTMLElement {
  const how = byMeaning ? "by words and by meaning" : "by words";
  return element(
    "div",
    { class: "greeting", "data-testid": "greeting" },
    element("h3", {}, "Ask your documents"),
    element(
      "p",
      {},
      `A question is searched for ${how} in this browser. You get the passages that answer it, each at its place in its document; with a model connected, an answer that cites them.`,
    ),
  );
}
