import type { ArchiveProgress, Store } from "lodestore";
import { chooseBackupFile } from "./backup-file.ts";
import { button, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { formatBytes, formatCount, formatCountOf } from "./quantities.ts";

export interface ArchiveSection {
  readonly element: HTMLElement;
  /** Says whether a backup can be restored now. @param documents Documents in the store. */
  show(documents: number): void;
}

const ONLY_EMPTY = "A backup is restored into an empty store; this one holds";

/** Backs the store up into a file, and restores it from one. @param onRestored Called when another content is in. */
export function createArchiveSection(store: Store, onRestored: () => void): ArchiveSection {
  const backUp = button({ "data-testid": "back-up", onclick: () => void save() }, "Back up…");
  const restore = button(
    { "data-testid": "restore", "aria-describedby": "restore-hint", onclick: () => input.click() },
    "Restore…",
  );
  const stop = button(
    { class: "quiet", hidden: true, "data-testid": "archive-stop", onclick: () => job?.abort() },
    "Stop",
  );
  const input = element("input", {
    type: "file",
    accept: ".tar,application/x-tar",
    hidden: true,
    "data-testid": "restore-input",
    onchange: () => {
      const [file] = input.files ?? [];
      input.value = "";
      if (file !== undefined) void load(file);
    },
  });
  const bar = element("progress", {
    hidden: true,
    "aria-label": "Progress of the backup",
    "data-testid": "archive-progress",
  });
  const status = element("p", { class: "hint", role: "status", "data-testid": "archive-status" });
  const hint = element("p", { class: "hint", id: "restore-hint", "data-testid": "restore-hint" });
  let documents = 0;
  let job: AbortController | undefined;

  function showState(): void {
    backUp.disabled = job !== undefined;
    restore.disabled = job !== undefined || documents > 0;
    stop.hidden = job === undefined;
    bar.hidden = job === undefined;
    hint.textContent =
      documents === 0 ? "" : `${ONLY_EMPTY} ${formatCountOf(documents, "document")}. Delete everything first.`;
  }

  function showProgress({ phase, done, total }: ArchiveProgress): void {
    if (total === null) bar.removeAttribute("value");
    else bar.value = total === 0 ? 1 : done / total;
    status.textContent = said(phase, done, total);
  }

  async function save(): Promise<void> {
    await run("backup", async (signal) => {
      const file = await chooseBackupFile(`lodestore-${new Date().toISOString().slice(0, 10)}.tar`);
      if (file === null) return "";
      let bytes = 0;
      try {
        for await (const piece of store.export({ signal, onProgress: showProgress })) {
          await file.write(piece);
          bytes += piece.byteLength;
        }
      } catch (error) {
        await file.discard();
        throw error;
      }
      await file.finish();
      return `Backed up: ${formatBytes(bytes)}.`;
    });
  }

  async function load(file: File): Promise<void> {
    await run("restoring", async (signal) => {
      const report = await store.import(file, { signal, onProgress: showProgress });
      documents = report.documents;
      onRestored();
      return `Restored: ${formatCountOf(report.documents, "document")}, ${formatCountOf(report.embeddings, "embedding")}.`;
    });
  }

  async function run(what: string, work: (signal: AbortSignal) => Promise<string>): Promise<void> {
    const mine = new AbortController();
    job = mine;
    status.className = "hint";
    status.textContent = "";
    showState();
    try {
      status.textContent = await work(mine.signal);
    } catch (error) {
      if (errorCode(error) === "ABORTED") {
        status.textContent = `The ${what} was stopped. The store is as it was.`;
      } else {
        status.className = "error";
        status.textContent = errorText(error);
      }
    } finally {
      job = undefined;
      showState();
    }
  }

  showState();
  return {
    element: element(
      "section",
      { class: "archive", "data-testid": "archive" },
      element("h3", {}, "Backup"),
      element("p", { class: "hint" }, "One file with everything in it, for this browser, another one or a server."),
      element("div", { class: "actions" }, backUp, restore, stop, input),
      hint,
      bar,
      status,
    ),
    show(count) {
      documents = count;
      showState();
    },
  };
}

function said(phase: ArchiveProgress["phase"], done: number, total: number | null): string {
  switch (phase) {
    case "copy":
      return "Copying the database…";
    case "transfer":
      return total === null ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`;
    case "write":
      return total === null ? formatCount(done) : `Writing ${formatCount(done)} of ${formatCountOf(total, "row")}`;
  }
}
