import type { EmbeddingProgress, Store } from "lodestore";
import type { Announcer } from "./announcer.ts";
import { button, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { formatCount, formatCountOf, formatDuration } from "./quantities.ts";

export interface EmbeddingLine {
  readonly element: HTMLElement;
  /** Embeds what is missing, unless it is at it or was paused. */
  start(): void;
}

interface EmbeddingLineOptions {
  store: Store;
  announcer: Announcer;
  signal: AbortSignal;
}

/** A quiet line while passages are embedded: they are found by words meanwhile. */
export function createEmbeddingLine({ store, announcer, signal }: EmbeddingLineOptions): EmbeddingLine {
  const text = element("span", { "data-testid": "embedding-text" });
  const action = button({ class: "quiet", "data-testid": "embedding-action" });
  const line = element("div", { class: "embedding", hidden: true, "data-testid": "embedding" }, text, action);
  let running: AbortController | null = null;
  let again = false;
  let isPaused = false;

  action.addEventListener("click", () => {
    if (running !== null) {
      isPaused = true;
      running.abort();
    } else {
      isPaused = false;
      void run();
    }
  });
  signal.addEventListener("abort", () => running?.abort());

  function show(state: "running" | "paused" | "error" | "done", said: string, offered: string): void {
    line.hidden = state === "done";
    line.dataset["state"] = state;
    text.textContent = said;
    action.textContent = offered;
  }

  function onProgress(now: EmbeddingProgress): void {
    if (now.done === now.total || running === null || isPaused) return;
    const left =
      now.leftMs === null ? "" : `, ${formatDuration(Math.max(1000, Math.round(now.leftMs / 1000) * 1000))} left`;
    const said = `${formatCount(now.done)} of ${formatCountOf(now.total, "passage")} embedded${left}; found by words already`;
    show("running", said, "Pause");
  }

  async function run(): Promise<void> {
    running = new AbortController();
    again = false;
    try {
      const report = await store.embeddings.run({ signal: running.signal, onProgress });
      const failed = report.failed > 0 ? `${formatCountOf(report.failed, "passage")} could not be embedded: ` : "";
      if (failed === "") show("done", "", "");
      else show("error", failed + (report.failures[0]?.reason ?? ""), "Try again");
      if (report.embedded > 0) announcer.say(`${formatCountOf(report.embedded, "passage")} embedded.`);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ABORTED") show("paused", "Embedding is paused; what is embedded stays.", "Go on");
      else if (code === "UNSUPPORTED" || code === "CLOSED" || code === "OWNER_LOST") show("done", "", "");
      else {
        show("error", `Passages are found by words alone: ${errorText(error)}`, "Try again");
        announcer.say(errorText(error));
      }
    } finally {
      running = null;
      if (again && !isPaused && !signal.aborted) void run();
    }
  }

  return {
    element: line,
    start() {
      if (isPaused) return;
      if (running === null) void run();
      else again = true;
    },
  };
}
