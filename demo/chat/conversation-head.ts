import type { ChatExportFormat, ChatSession, Store } from "lodestore";
import { confirmDialog } from "../confirm-dialog.ts";
import { downloadText, fileName } from "../download-text.ts";
import { button, element } from "../element.ts";
import { icon, type IconName } from "../icons.ts";
import { formatCountOf } from "../quantities.ts";
import { textDialog } from "../text-dialog.ts";
import { titleOf } from "./session-list.ts";

export interface ConversationHead {
  readonly element: HTMLElement;
  /** Shows the title; a conversation that has not begun has none, and nothing can be done with it. */
  show(session: ChatSession | null): void;
  focus(): void;
}

interface ConversationHeadOptions {
  store: Store;
  /** What stands before the title. */
  before: HTMLElement;
  onRenamed: () => void;
  /** Called before the conversation goes. */
  onDelete: () => void;
  onDeleted: () => void;
  onError: (error: unknown) => void;
}

const LONGEST_TITLE = 500;

/** The title of a conversation, and what can be done with the whole of it. */
export function createConversationHead(options: ConversationHeadOptions): ConversationHead {
  const { store, before, onRenamed, onDelete, onDeleted, onError } = options;
  const title = element("h2", { tabindex: "-1", "data-testid": "chat-title" });
  const tools = element(
    "div",
    { class: "conversation-tools" },
    tool("Rename this conversation", "pencil", "rename-session", rename),
    tool("Download as Markdown", "download", "export-markdown", (shown) => download(shown, "markdown"), "MD"),
    tool("Download as JSON", "download", "export-json", (shown) => download(shown, "json"), "JSON"),
    tool("Delete this conversation", "trash", "delete-session", remove),
  );
  let session: ChatSession | null = null;

  function tool(
    label: string,
    image: IconName,
    testId: string,
    work: (session: ChatSession) => Promise<void>,
    text?: string,
  ): HTMLButtonElement {
    const onclick = (): void => {
      if (session !== null) work(session).catch(onError);
    };
    const look = text === undefined ? "quiet square" : "quiet";
    return button(
      { class: look, "aria-label": label, title: label, "data-testid": testId, onclick },
      icon(image),
      text,
    );
  }

  async function rename({ id, title: old }: ChatSession): Promise<void> {
    const given = await textDialog({
      title: "Rename this conversation",
      label: "Title",
      value: old ?? "",
      maxLength: LONGEST_TITLE,
      action: "Rename",
    });
    if (given === null) return;
    const renamed = await store.chat.renameSession(id, given);
    if (session?.id === id) show(renamed);
    onRenamed();
  }

  async function remove({ id, title: old }: ChatSession): Promise<void> {
    const turnCount = (await store.chat.getSession(id))?.turnCount ?? 0;
    const isSure = await confirmDialog({
      title: "Delete this conversation?",
      detail: `“${titleOf(old)}” and its ${formatCountOf(turnCount, "turn")} leave the store. The documents stay.`,
      action: "Delete conversation",
    });
    if (!isSure) return;
    onDelete();
    await store.chat.deleteSession(id);
    onDeleted();
  }

  async function download({ id, title: name }: ChatSession, format: ChatExportFormat): Promise<void> {
    const text = await store.chat.exportSession(id, format);
    const [type, ending] = format === "json" ? ["application/json", "json"] : ["text/markdown", "md"];
    downloadText(fileName(titleOf(name), ending), type, text);
  }

  function show(shown: ChatSession | null): void {
    session = shown;
    title.textContent = shown === null ? "New conversation" : titleOf(shown.title);
    tools.hidden = shown === null;
  }

  show(null);
  return {
    element: element("header", { class: "conversation-head" }, before, title, tools),
    show,
    focus: () => title.focus(),
  };
}
