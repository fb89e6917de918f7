import type { Asset, Document, Store } from "lodestore";
import { confirmDialog } from "./confirm-dialog.ts";
import { button, descriptionList, element, type Child } from "./element.ts";
import { errorText } from "./error-text.ts";
import { icon } from "./icons.ts";
import { formatBytes, formatTime, languageName, mediaTypeName } from "./quantities.ts";
import { languageBadge } from "./result-card.ts";
import { createSourceLines, type SourceLines } from "./source-lines.ts";
import { sameTarget, type OpenTarget } from "./url-state.ts";

export interface Viewer {
  readonly element: HTMLElement;
  /** Shows the document and scrolls to its cited lines; `null` shows how to use the page. */
  show(target: OpenTarget | null, options: { focus: boolean }): void;
  /** Tells where the document stands among the results, and which words brought it. */
  place(place: { index: number; shown: number; more: boolean; words: readonly string[] } | null): void;
}

interface ViewerOptions {
  store: Store;
  onClose: () => void;
  onStep: (offset: 1 | -1) => void;
  onDeleted: (document: Document) => void;
}

export function createViewer({ store, onClose, onStep, onDeleted }: ViewerOptions): Viewer {
  const title = element("h2", { tabindex: "-1", "data-testid": "viewer-title" });
  const position = element("span", { class: "position", "data-testid": "position" });
  const previous = step("Previous hit", "up", -1);
  const next = step("Next hit", "down", 1);
  const remove = button(
    {
      class: "quiet square",
      "aria-label": "Delete document",
      title: "Delete document",
      "data-testid": "delete-document",
    },
    icon("trash"),
  );
  const close = button(
    {
      class: "quiet square",
      "aria-label": "Close document",
      title: "Close (Esc)",
      "data-testid": "close-document",
      onclick: onClose,
    },
    element("span", { class: "when-narrow" }, icon("back")),
    element("span", { class: "when-wide" }, icon("close")),
  );
  const body = element("div", { class: "viewer-body" });
  const article = element(
    "article",
    { class: "viewer", hidden: true, "data-testid": "viewer" },
    element("header", {}, close, title, element("div", { class: "viewer-tools" }, position, previous, next, remove)),
    body,
  );
  const guide = shortcutGuide();

  let target: OpenTarget | null = null;
  let document: Document | null = null;
  let lines: SourceLines | null = null;
  let words: readonly string[] = [];

  function step(label: string, image: "up" | "down", offset: 1 | -1): HTMLButtonElement {
    return button(
      {
        class: "quiet square",
        "aria-label": label,
        title: label,
        "data-testid": image === "up" ? "previous-hit" : "next-hit",
        onclick: () => onStep(offset),
      },
      icon(image),
    );
  }

  remove.addEventListener("click", () => void deleteDocument());

  async function deleteDocument(): Promise<void> {
    const doomed = document;
    if (doomed === null) return;
    const isSure = await confirmDialog({
      title: "Delete this document?",
      detail: `“${doomed.title || doomed.workspacePath}” leaves the store and its search. The file it came from is not touched.`,
      action: "Delete document",
    });
    if (!isSure) return;
    try {
      await store.documents.deleteDocument(doomed.id);
      onDeleted(doomed);
    } catch (error) {
      showMessage(errorText(error));
    }
  }

  function showMessage(text: string): void {
    body.replaceChildren(element("p", { class: "error", role: "alert" }, text));
  }

  async function load(wanted: OpenTarget, focus: boolean): Promise<void> {
    try {
      const found = await store.documents.getDocument(wanted.documentId);
      if (target !== wanted) return;
      if (found === undefined) {
        title.textContent = "Document not found";
        showMessage("This document is not in the store any more.");
        return;
      }
      const [asset, bytes] = await Promise.all([
        store.documents.getAsset(found.assetId),
        store.documents.getAssetBytes(found.assetId),
      ]);
      if (target !== wanted) return;
      draw(found, asset, bytes, wanted);
      if (focus) title.focus({ preventScroll: true });
    } catch (error) {
      if (target === wanted) showMessage(errorText(error));
    }
  }

  function draw(found: Document, asset: Asset | undefined, bytes: Uint8Array, wanted: OpenTarget): void {
    document = found;
    remove.hidden = false;
    title.textContent = found.title || found.workspacePath;
    const { start, end } = wanted;
    lines = createSourceLines(decode(bytes), start === undefined || end === undefined ? null : { start, end });
    lines.mark(words);
    body.replaceChildren(
      element("p", { class: "where" }, languageBadge(found.lang), element("code", {}, found.workspacePath)),
      about(found, asset),
      lines.element,
    );
    article.scrollTo({ top: 0 });
    lines.reveal();
  }

  return {
    element: element("div", { class: "viewer-pane" }, article, guide),
    show(wanted, { focus }) {
      if (sameTarget(wanted, target)) return;
      target = wanted;
      document = null;
      lines = null;
      article.hidden = wanted === null;
      guide.hidden = wanted !== null;
      if (wanted === null) return;
      remove.hidden = true;
      void load(wanted, focus);
    },
    place(place) {
      const isPlaced = place !== null;
      position.textContent = isPlaced ? `${place.index + 1} of ${place.shown}${place.more ? "+" : ""}` : "";
      previous.disabled = !isPlaced || place.index === 0;
      next.disabled = !isPlaced || (place.index + 1 === place.shown && !place.more);
      words = place?.words ?? [];
      lines?.mark(words);
    },
  };
}

/** Decodes as the ingest did: UTF-16 by its byte order mark, else UTF-8. */
function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

function about(document: Document, asset: Asset | undefined): HTMLElement {
  const metadata = Object.entries(document.metadata).map(([name, value]): [string, Child] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return element(
    "details",
    { class: "about", "data-testid": "about" },
    element("summary", {}, "About this document"),
    descriptionList([
      ["Language", document.lang === null ? "unknown" : `${languageName(document.lang)} (${document.lang})`],
      ["Type", mediaTypeName(document.mediaType)],
      ["Size", asset === undefined ? null : formatBytes(asset.byteLength)],
      ["Taken in", formatTime(document.ingestedAt)],
      ["Tags", document.tags.join(", ")],
      ["Trust", String(document.trust)],
      ["Source", document.sourceType],
      ["Parser", document.parserVersion],
      ["Content hash", asset === undefined ? null : element("code", {}, asset.contentHash)],
    ]),
    metadata.length > 0 && element("h3", {}, "Front matter"),
    metadata.length > 0 && descriptionList(metadata),
  );
}

function shortcutGuide(): HTMLElement {
  const key = (text: string): HTMLElement => element("kbd", {}, text);
  const row = (text: string, ...keys: HTMLElement[]): HTMLElement =>
    element("div", {}, element("dt", {}, ...keys), element("dd", {}, text));
  return element(
    "div",
    { class: "guide" },
    element("p", {}, "Open a document to read it here."),
    element(
      "dl",
      {},
      row("Search", key("/")),
      row("Move through the list", key("↑"), key("↓")),
      row("Open", key("Enter")),
      row("Close, back to the list", key("Esc")),
      row("A phrase, a beginning, without a word", key('"a phrase"'), key("begin*"), key("-not")),
    ),
  );
}
