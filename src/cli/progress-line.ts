import type { ArchiveProgress, EmbeddingProgress, IngestProgress } from "../node.ts";
import { counted, formatBytes, formatCount, formatDuration } from "./format.ts";
import { cutToWidth, printable } from "./printable.ts";
import type { OutputStream } from "./terminal.ts";

/** Time between two lines where there is no terminal to draw on. */
const PLAIN_INTERVAL_MS = 5000;
const BAR_CELLS = 20;

/** How far something is, as it is shown. */
interface Shown {
  /** Whether there is anything to tell yet, where each time is a line. */
  begun: boolean;
  done: number;
  total: number | null;
  /** What is said of it. */
  parts: string[];
  /** What is at hand: on a terminal only. */
  current?: string | null;
  elapsedMs: number;
}

/** Shows how far a command is: one line that is drawn anew on a terminal, else a line now and then. */
export class ProgressLine {
  readonly #stream: OutputStream;
  readonly #drawn: boolean;
  #lastPlainMs = Number.NEGATIVE_INFINITY;
  #onScreen = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    this.#drawn = stream.isTTY === true;
  }

  /** Says what is being done, where there is nothing to count yet: `Looking for files…` */
  begin(what: string): void {
    if (!this.#drawn) return;
    this.#stream.write(`\r${what}\u001B[K`);
    this.#onScreen = true;
  }

  update(progress: IngestProgress): void {
    const { embedding, elapsedMs } = progress;
    this.#show(embedding === undefined ? files(progress) : { ...passages(embedding), elapsedMs });
  }

  embedding(progress: EmbeddingProgress): void {
    this.#show(passages(progress));
  }

  /** @param what What is counted: `vectors`. */
  count(what: string, done: number, total: number, elapsedMs: number): void {
    this.#show({
      begun: done > 0,
      done,
      total,
      parts: [`${formatCount(done)}/${formatCount(total)} ${what}`],
      elapsedMs,
    });
  }

  /** How far an export or an import is. */
  archive({ phase, done, total, elapsedMs }: ArchiveProgress): void {
    this.#show({ begun: done > 0, done, total, parts: [archivePart(phase, done, total)], elapsedMs });
  }

  /** @param doing What is being done. @param total How much there is of it, null where that is not known. */
  step(doing: string, done: number, total: number | null, elapsedMs: number): void {
    const count =
      done === 0 && total === null ? [] : [formatCount(done) + (total === null ? "" : `/${formatCount(total)}`)];
    this.#show({ begun: true, done, total, parts: [printable(doing), ...count], elapsedMs });
  }

  /** Takes the line off the screen. */
  end(): void {
    if (this.#onScreen) this.#stream.write("\r\u001B[K");
    this.#onScreen = false;
  }

  #show(shown: Shown): void {
    if (this.#drawn) {
      this.#draw(shown);
    } else if (shown.begun && shown.elapsedMs - this.#lastPlainMs >= PLAIN_INTERVAL_MS) {
      this.#lastPlainMs = shown.elapsedMs;
      this.#stream.write(`${shown.parts.join(" · ")}\n`);
    }
  }

  #draw(shown: Shown): void {
    // A terminal that does not know its width says 0.
    const columns = this.#stream.columns || 80;
    const { parts, current = null } = shown;
    const said = [...parts, ...(current === null ? [] : [printable(current)])].join(" · ");
    // The last column stays free: a terminal that wraps there would leave lines behind.
    this.#stream.write(`\r${cutToWidth(`${bar(shown)}${said}`, columns - 1)}\u001B[K`);
    this.#onScreen = true;
  }
}

function bar({ done, total }: Shown): string {
  if (total === null || total === 0) return "";
  const share = Math.min(1, done / total);
  const full = Math.round(share * BAR_CELLS);
  return `${"█".repeat(full)}${"░".repeat(BAR_CELLS - full)} ${String(Math.floor(share * 100)).padStart(3)} % `;
}

function archivePart(phase: ArchiveProgress["phase"], done: number, total: number | null): string {
  switch (phase) {
    case "copy":
      return "copying the database";
    case "transfer":
      return total === null ? formatBytes(done) : `${formatBytes(done)}/${formatBytes(total)}`;
    case "write":
      return total === null ? counted(done, "row") : `${formatCount(done)}/${counted(total, "row")} written`;
  }
}

function files({ done, total, failed, bytes, elapsedMs, leftMs, currentPath }: IngestProgress): Shown {
  const parts = [
    total === null ? counted(done, "file") : `${formatCount(done)}/${counted(total, "file")}`,
    formatBytes(bytes),
    `${formatCount(perSecond(done, elapsedMs))} files/s`,
    ...leftAndFailed(leftMs, failed),
  ];
  return { begun: done > 0, done, total, parts, current: currentPath, elapsedMs };
}

function passages({ done, total, embedded, failed, elapsedMs, leftMs }: EmbeddingProgress): Shown {
  const parts = [
    `embedding ${formatCount(done)}/${counted(total, "passage")}`,
    `${formatCount(perSecond(embedded, elapsedMs))}/s`,
    ...leftAndFailed(leftMs, failed),
  ];
  return { begun: embedded + failed > 0, done, total, parts, elapsedMs };
}

function leftAndFailed(leftMs: number | null, failed: number): string[] {
  return [
    ...(leftMs === null ? [] : [`${formatDuration(leftMs)} left`]),
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
  ];
}

function perSecond(count: number, elapsedMs: number): number {
  return Math.round(count / Math.max(0.001, elapsedMs / 1000));
}
