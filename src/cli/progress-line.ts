import type { IngestProgress } from "../node.ts";
import { counted, formatBytes, formatCount, formatDuration } from "./format.ts";
import { cutToWidth, printable } from "./printable.ts";
import type { OutputStream } from "./terminal.ts";

/** Time between two lines where there is no terminal to draw on. */
const PLAIN_INTERVAL_MS = 5000;
const BAR_CELLS = 20;

/** Shows how far an ingest is: one line that is drawn anew on a terminal, else a line now and then. */
export class ProgressLine {
  readonly #stream: OutputStream;
  readonly #drawn: boolean;
  #lastPlainMs = Number.NEGATIVE_INFINITY;
  #onScreen = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    this.#drawn = stream.isTTY === true;
  }

  /** Says that files are being counted. */
  begin(): void {
    if (!this.#drawn) return;
    this.#stream.write("\rLooking for files…\u001B[K");
    this.#onScreen = true;
  }

  update(progress: IngestProgress): void {
    if (this.#drawn) {
      this.#draw(progress);
    } else if (progress.done > 0 && progress.elapsedMs - this.#lastPlainMs >= PLAIN_INTERVAL_MS) {
      this.#lastPlainMs = progress.elapsedMs;
      this.#stream.write(`${describe(progress)}\n`);
    }
  }

  /** Takes the line off the screen. */
  end(): void {
    if (this.#onScreen) this.#stream.write("\r\u001B[K");
    this.#onScreen = false;
  }

  #draw(progress: IngestProgress): void {
    // A terminal that does not know its width says 0.
    const columns = this.#stream.columns || 80;
    const path = progress.currentPath === null ? "" : ` · ${printable(progress.currentPath)}`;
    // The last column stays free: a terminal that wraps there would leave lines behind.
    const line = cutToWidth(`${bar(progress)}${describe(progress)}${path}`, columns - 1);
    this.#stream.write(`\r${line}\u001B[K`);
    this.#onScreen = true;
  }
}

function bar({ done, total }: IngestProgress): string {
  if (total === null || total === 0) return "";
  const share = Math.min(1, done / total);
  const full = Math.round(share * BAR_CELLS);
  return `${"█".repeat(full)}${"░".repeat(BAR_CELLS - full)} ${String(Math.floor(share * 100)).padStart(3)} % `;
}

function describe({ done, total, failed, bytes, elapsedMs, leftMs }: IngestProgress): string {
  const parts = [
    total === null ? counted(done, "file") : `${formatCount(done)}/${counted(total, "file")}`,
    formatBytes(bytes),
    `${formatCount(Math.round(done / Math.max(0.001, elapsedMs / 1000)))} files/s`,
  ];
  if (leftMs !== null) parts.push(`${formatDuration(leftMs)} left`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  return parts.join(" · ");
}
