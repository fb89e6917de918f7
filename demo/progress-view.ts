import type { IngestProgress, IngestReport } from "lodestore";
import { element } from "./element.ts";
import { formatBytes, formatCount, formatDuration } from "./quantities.ts";

/** The bar and the figures of one ingest. */
export interface ProgressView {
  readonly element: HTMLElement;
  reset(total: number): void;
  show(progress: IngestProgress): void;
  finish(report: IngestReport): void;
  stop(): void;
}

const COUNTS = ["added", "updated", "skipped", "failed"] as const;

export function createProgressView(): ProgressView {
  const fill = element("div", { class: "fill" });
  const bar = element(
    "div",
    {
      class: "bar",
      role: "progressbar",
      "aria-labelledby": "ingest-title",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "data-testid": "progress",
    },
    fill,
  );
  const figures = Object.fromEntries(
    COUNTS.map((name) => [name, element("b", { "data-testid": `count-${name}` }, "0")]),
  ) as Record<(typeof COUNTS)[number], HTMLElement>;
  const speed = element("span", { class: "speed", "data-testid": "speed" });
  const path = element("p", { class: "current-path" });
  const view = element(
    "div",
    { class: "progress" },
    bar,
    element(
      "p",
      { class: "figures" },
      ...COUNTS.map((name) => element("span", { class: name }, figures[name], ` ${name}`)),
      speed,
    ),
    path,
  );

  let latest: IngestProgress | null = null;

  function showCounts(counts: Record<(typeof COUNTS)[number], number>): void {
    for (const name of COUNTS) {
      figures[name].textContent = formatCount(counts[name]);
      figures[name].parentElement?.classList.toggle("none", counts[name] === 0);
    }
  }

  function showShare(share: number): void {
    const percent = Math.round(100 * Math.min(1, share));
    fill.style.transform = `scaleX(${share})`;
    bar.setAttribute("aria-valuenow", String(percent));
  }

  return {
    element: view,
    reset(total) {
      latest = null;
      bar.hidden = false;
      showShare(0);
      showCounts({ added: 0, updated: 0, skipped: 0, failed: 0 });
      speed.textContent = `0 of ${formatCount(total)} files`;
      path.textContent = "\u00a0";
    },
    show(progress) {
      const { done, total, currentPath } = progress;
      latest = progress;
      if (total !== null && total > 0) {
        showShare(done / total);
        bar.setAttribute("aria-valuetext", `${formatCount(done)} of ${formatCount(total)} files`);
      }
      showCounts(progress);
      speed.textContent = progressText(progress);
      path.textContent = currentPath ?? "\u00a0";
    },
    finish(report) {
      bar.hidden = true;
      path.textContent = "";
      const done = report.added + report.updated + report.skipped + report.failures.length;
      showCounts({ ...report, failed: report.failures.length });
      speed.textContent = [
        formatBytes(report.bytes),
        `${formatCount(report.chunks)} chunks`,
        rate(done, report.elapsedMs),
      ]
        .filter((part) => part !== "")
        .join(" · ");
    },
    stop() {
      bar.hidden = true;
      if (latest !== null) speed.textContent = progressText({ ...latest, leftMs: null });
      path.textContent = "";
    },
  };
}

function progressText({ done, total, bytes, elapsedMs, leftMs }: IngestProgress): string {
  return [
    total === null ? `${formatCount(done)} files` : `${formatCount(done)} of ${formatCount(total)} files`,
    formatBytes(bytes),
    rate(done, elapsedMs),
    leftMs === null ? "" : `${formatDuration(Math.max(1000, Math.round(leftMs / 1000) * 1000))} left`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function rate(files: number, elapsedMs: number): string {
  const perSecond = Math.round((1000 * files) / elapsedMs);
  return elapsedMs < 100 || perSecond === 0 ? "" : `${formatCount(perSecond)} files/s`;
}
