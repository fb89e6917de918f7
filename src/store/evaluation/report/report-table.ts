import { html, type Html } from "./html.ts";

/** A cell: numbers stand at the right. */
export type Cell = string | { number: string };

/** A table with a caption. @param columns Headings, as its cells. */
export function reportTable(caption: string, columns: readonly Cell[], rows: readonly (readonly Cell[])[]): Html {
  return html`<div class="table" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map(headCell)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(bodyCell)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

function headCell(cell: Cell): Html {
  return typeof cell === "string"
    ? html`<th scope="col">${cell}</th>`
    : html`<th scope="col" class="number">${cell.number}</th>`;
}

function bodyCell(cell: Cell, index: number): Html {
  if (typeof cell !== "string") return html`<td class="number">${cell.number}</td>`;
  return index === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`;
}
