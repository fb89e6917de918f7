import { html, type Html } from "./html.ts";
import type { LatencyBin } from "./latency-bins.ts";

const WIDTH = 720;
const HEIGHT = 180;
const BOTTOM = 22;

/** A histogram of times, the runs side by side in each bin. */
export function latencyPlot(title: string, bins: readonly LatencyBin[]): Html {
  const most = Math.max(1, ...bins.flatMap(({ counts }) => counts));
  const slot = WIDTH / Math.max(1, bins.length);
  const bars = bins.flatMap(({ counts }, index) => {
    const width = (slot - 2) / counts.length;
    return counts.map((count, run) => {
      const height = (count / most) * (HEIGHT - BOTTOM - 6);
      const x = index * slot + 1 + run * width;
      return html`<rect
        class="${run === 0 ? "a" : "b"}"
        x="${x.toFixed(2)}"
        y="${(HEIGHT - BOTTOM - height).toFixed(2)}"
        width="${width.toFixed(2)}"
        height="${height.toFixed(2)}"
      />`;
    });
  });
  const every = Math.max(1, Math.ceil(bins.length / 8));
  const labels = bins.flatMap(({ fromMs, toMs }, index) => {
    if (index % every !== 0 && toMs !== null) return [];
    // The last one would stand on its neighbour.
    if (toMs !== null && bins.length - 1 - index < every / 2 && index > 0) return [];
    return html`<text
      x="${(index * slot + (toMs === null ? slot : 0)).toFixed(2)}"
      y="${HEIGHT - 6}"
      text-anchor="${toMs === null ? "end" : "start"}"
      >${toMs === null ? "≥ " : ""}${short(fromMs)}${toMs === null ? " ms" : ""}</text
    >`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    <line class="axis" x1="0" y1="${HEIGHT - BOTTOM}" x2="${WIDTH}" y2="${HEIGHT - BOTTOM}" />
    ${bars}${labels}
  </svg>`;
}

function short(ms: number): string {
  return String(Number(ms.toPrecision(4)));
}
