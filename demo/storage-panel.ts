import type { CheckReport, OpenReport, RoomEstimate, Store, StoreStats } from "lodestore";
import { createArchiveSection } from "./archive-section.ts";
import { confirmDialog } from "./confirm-dialog.ts";
import { button, descriptionList, element, type Child } from "./element.ts";
import { errorText } from "./error-text.ts";
import { followChanges } from "./follow-changes.ts";
import { icon } from "./icons.ts";
import { indexReport } from "./index-report.ts";
import { createModelForm } from "./model-form.ts";
import { formatBytes, formatCount, formatDuration } from "./quantities.ts";
import { createUpkeepSection } from "./upkeep-section.ts";

export interface StoragePanel {
  readonly element: HTMLDialogElement;
  open(): void;
}

interface StoragePanelOptions {
  store: Store;
  /** Deletes the whole store and opens an empty one. */
  onDeleteEverything: () => Promise<void>;
  /** Another model was chosen: the store opens with it. */
  onModelChosen: () => void;
  /** A backup was restored. */
  onRestored: () => void;
}

/** What the store holds, where its bytes are and whether they are sound. */
export function createStoragePanel(options: StoragePanelOptions): StoragePanel {
  const { store, onDeleteEverything, onModelChosen, onRestored } = options;
  const figures = element("div", { "data-testid": "storage-figures" });
  const indexes = element("div", { "data-testid": "indexes" });
  const archive = createArchiveSection(store, () => {
    void load();
    onRestored();
  });
  const checkResult = element("div", { class: "check-result", role: "status", "data-testid": "check-result" });
  const check = button({ "data-testid": "check", onclick: () => void runCheck() }, "Check integrity");
  const wipe = button(
    { class: "danger", "data-testid": "delete-everything", onclick: () => void deleteEverything() },
    "Delete everything…",
  );
  const dialog = element(
    "dialog",
    { class: "sheet", "aria-labelledby": "storage-title", "data-testid": "storage" },
    element(
      "header",
      {},
      element("h2", { id: "storage-title" }, "Storage"),
      button(
        { class: "quiet square", "aria-label": "Close", "data-testid": "storage-close", onclick: () => dialog.close() },
        icon("close"),
      ),
    ),
    element(
      "section",
      {},
      element("h3", {}, "Model"),
      createModelForm(() => {
        dialog.close();
        onModelChosen();
      }),
    ),
    element("section", {}, element("h3", {}, "Vector indexes"), indexes),
    figures,
    createUpkeepSection(store, () => void load()),
    archive.element,
    element("section", {}, element("h3", {}, "Soundness"), check, checkResult),
    element("section", {}, element("h3", {}, "Start over"), wipe),
  );
  // A click on the backdrop has the dialog itself as target.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  async function load(): Promise<void> {
    try {
      const [stats, report, room] = await Promise.all([store.stats(), store.openReport(), store.storage.estimate()]);
      figures.replaceChildren(
        contentSection(stats),
        spaceSection(stats, room, requestPersistence),
        engineSection(stats, report),
      );
      archive.show(stats.documents);
      indexes.replaceChildren(...(await indexReport(store, report)));
    } catch (error) {
      showError(error);
    }
  }

  function showError(error: unknown): void {
    figures.replaceChildren(element("p", { class: "error", role: "alert" }, errorText(error)));
  }

  async function requestPersistence(): Promise<void> {
    const { reason } = await store.storage.persist();
    await load();
    if (reason !== null) {
      const note = `It cannot be promised: ${reason}.`;
      figures.querySelector("[data-testid=persistence]")?.append(element("p", { class: "hint", role: "status" }, note));
    }
  }

  async function runCheck(): Promise<void> {
    check.disabled = true;
    checkResult.replaceChildren(element("p", {}, "Checking…"));
    const startedAt = performance.now();
    try {
      const report = await store.check();
      checkResult.replaceChildren(...checkFindings(report, performance.now() - startedAt));
    } catch (error) {
      checkResult.replaceChildren(element("p", { class: "error" }, errorText(error)));
    } finally {
      check.disabled = false;
    }
  }

  async function deleteEverything(): Promise<void> {
    const isSure = await confirmDialog({
      title: "Delete everything?",
      detail:
        "All documents and indexes of this store are deleted from this browser. The files they came from are not touched.",
      action: "Delete everything",
    });
    if (!isSure) return;
    dialog.close();
    await onDeleteEverything();
  }

  return {
    element: dialog,
    open() {
      checkResult.replaceChildren();
      dialog.showModal();
      const closed = new AbortController();
      dialog.addEventListener("close", () => closed.abort(), { once: true });
      void followChanges({
        store,
        topics: ["documents", "embeddings"],
        signal: closed.signal,
        look: load,
        onError: showError,
      });
    },
  };
}

function section(title: string, ...children: Child[]): HTMLElement {
  return element("section", {}, element("h3", {}, title), ...children);
}

function contentSection(stats: StoreStats): HTMLElement {
  const ratio = stats.textBytes === 0 ? "" : ` (${(stats.textIndexBytes / stats.textBytes).toFixed(2)} × the text)`;
  return section(
    "Content",
    descriptionList([
      ["Documents", formatCount(stats.documents)],
      ["Chunks", formatCount(stats.chunks)],
      ["Embedded", formatCount(stats.embeddings.committed)],
      ["Source", formatBytes(stats.sourceBytes)],
      ["Text", formatBytes(stats.textBytes)],
      ["Text index", `${formatBytes(stats.textIndexBytes)}${ratio}`],
      ["Corpus revision", formatCount(stats.corpusRevision)],
    ]),
  );
}

function spaceSection(
  stats: StoreStats,
  { storeBytes, usageBytes, quotaBytes, persisted }: RoomEstimate,
  requestPersistence: () => Promise<void>,
): HTMLElement {
  const usage = usageBytes ?? 0;
  const quota = quotaBytes ?? 0;
  const share = quota === 0 ? 0 : usage / quota;
  return section(
    "Space",
    quota > 0 &&
      element("meter", {
        min: 0,
        max: 1,
        high: 0.8,
        value: share,
        "aria-label": "Share of the browser's quota in use",
      }),
    descriptionList([
      ["Used by this site", quota === 0 ? formatBytes(usage) : `${formatBytes(usage)} of ${formatBytes(quota)}`],
      ["This store", formatBytes(storeBytes)],
      ["Database", `${formatBytes(stats.databaseBytes)}, ${formatBytes(stats.freeBytes)} of it free`],
      ["Kept by the browser", persisted ? "until you delete it" : "as long as there is room"],
    ]),
    element(
      "div",
      { "data-testid": "persistence" },
      persisted
        ? null
        : button({ "data-testid": "persist", onclick: () => void requestPersistence() }, "Ask for persistent storage"),
    ),
  );
}

function engineSection(stats: StoreStats, report: OpenReport): HTMLElement {
  const opened = report.created ? "created" : "opened";
  const migrations = report.migrations.length > 0 ? `, ${report.migrations.length} migrations applied` : "";
  return section(
    "Engine",
    descriptionList([
      ["Engine", stats.sql.engine],
      ["File system (VFS)", stats.sql.vfs],
      ["Driver", stats.sql.driver],
      ["Schema version", String(stats.schemaVersion)],
      ["This time", `${opened} in ${formatDuration(report.elapsedMs)}${migrations}`],
      ["Rebuilt", report.rebuilt.join("; ")],
      [
        "Settings",
        Object.entries(stats.sql.settings)
          .map(([name, value]) => `${name} ${value}`)
          .join(", "),
      ],
    ]),
  );
}

function checkFindings(report: CheckReport, ms: number): HTMLElement[] {
  return [
    element(
      "p",
      { class: report.ok ? "good" : "error" },
      report.ok ? `All sound. ${report.findings.length} checks in ${formatDuration(ms)}.` : "Something is wrong.",
    ),
    element(
      "ul",
      { class: "findings" },
      ...report.findings.map((finding) =>
        element(
          "li",
          { class: finding.ok ? "good" : "error" },
          element("b", {}, finding.name),
          element("span", {}, finding.ok ? finding.detail || "sound" : finding.detail),
        ),
      ),
    ),
  ];
}
