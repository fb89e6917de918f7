import { type Child, element } from "../element.ts";

/** A heading of a table. */
export interface Column {
  title: Child;
  /** Whether its cells are numbers, which stand at the right. */
  isNumber?: boolean;
  sort?: "ascending" | "descending" | undefined;
}

/** A table that scrolls within itself where it is too wide. The first cell of a row is its heading. */
export function dataTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  const look = (at: number): { class?: string } => (columns[at]?.isNumber === true ? { class: "number" } : {});
  return element(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      columns.some(({ title }) => title !== "") &&
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            ...columns.map(({ title, sort }, at) =>
              element("th", { scope: "col", ...look(at), ...(sort !== undefined && { "aria-sort": sort }) }, title),
            ),
          ),
        ),
      element(
        "tbody",
        {},
        ...rows.map((row) =>
          element(
            "tr",
            {},
            ...row.map((cell, at) =>
              at === 0 ? element("th", { scope: "row", ...look(at) }, cell) : element("td", look(at), cell),
            ),
          ),
        ),
      ),
    ),
  );
}
