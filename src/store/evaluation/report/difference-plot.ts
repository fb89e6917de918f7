import { html, type Html } from "./html.ts";

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 44;
/** Bars at most: of more queries, every so many-th is drawn. */
const MOST_BARS = 400;

/** A bar a query, sorted by difference: gains above the line, losses below it. */
export function differencePlot(title: string, sorted: readonly number[]): Html {
  const step = Math.max(1, Math.ceil(sorted.length / MOST_BARS));
  const drawn = sorted.filter((_, index) => index % step === 0);
  const greatest = Math.max(1e-9, ...drawn.map(Math.abs));
  const middle = HEIGHT / 2;
  const width = (WIDTH - LEFT) / Math.max(1, drawn.length);
  const bars = drawn.map((value, index) => {
    const size = (Math.abs(value) / greatest) * (middle - 12);
    const x = LEFT + index * width;
    const shown = Math.max(0.5, width - (width > 3 ? 1 : 0));
    return html`<rect
      class="${value < 0 ? "bad" : "good"}"
      x="${x.toFixed(2)}"
      y="${(value < 0 ? middle : middle - size).toFixed(2)}"
      width="${shown.toFixed(2)}"
      height="${size.toFixed(2)}"
    />`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    <line class="axis" x1="${LEFT}" y1="${middle}" x2="${WIDTH}" y2="${middle}" />
    <text x="${LEFT - 6}" y="16" text-anchor="end">+${greatest.toFixed(2)}</text>
    <text x="${LEFT - 6}" y="${middle + 4}" text-anchor="end">0</text>
    <text x="${LEFT - 6}" y="${HEIGHT - 6}" text-anchor="end">-${greatest.toFixed(2)}</text>
    ${bars}
  </svg>`;
}
