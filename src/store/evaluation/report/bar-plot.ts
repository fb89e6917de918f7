import { html, type Html } from "./html.ts";

/** Bars of one name, one for each run. */
export interface Bars {
  name: string;
  /** From 0 to 1. */
  values: readonly number[];
}

const WIDTH = 720;
const LEFT = 110;
const RIGHT = 70;
const BAR = 16;
const GAP = 14;

/** Bars side by side, from 0 to 1. What it shows stands in a table beside it. */
export function barPlot(title: string, groups: readonly Bars[]): Html {
  let y = 6;
  const bars: Html[] = [];
  for (const { name, values } of groups) {
    const middle = y + (values.length * BAR) / 2 + 4;
    bars.push(html`<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${name}</text>`);
    for (const [index, value] of values.entries()) {
      const width = Math.max(0, Math.min(1, value)) * (WIDTH - LEFT - RIGHT);
      bars.push(
        html`<rect
            class="${index === 0 ? "a" : "b"}"
            x="${LEFT}"
            y="${y}"
            width="${width.toFixed(1)}"
            height="${BAR - 3}"
            rx="2"
          />
          <text class="value" x="${(LEFT + width + 6).toFixed(1)}" y="${y + 11}">${value.toFixed(4)}</text>`,
      );
      y += BAR;
    }
    y += GAP;
  }
  const height = y - GAP + 6;
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
    <line class="axis" x1="${LEFT}" y1="0" x2="${LEFT}" y2="${height}" />
    ${bars}
  </svg>`;
}
