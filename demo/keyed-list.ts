/** A row that stays the same element while what it shows changes, so that focus and what is unfolded stay. */
export interface KeyedRow<Item> {
  readonly element: HTMLElement;
  show(item: Item): void;
}

/** Shows items as rows of a list, each by its id. @param create Makes the row of an item that was not there. */
export function createKeyedList<Item extends { id: string }>(
  list: HTMLElement,
  create: (item: Item) => KeyedRow<Item>,
): (items: readonly Item[]) => void {
  const rows = new Map<string, KeyedRow<Item>>();
  return (items) => {
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    let place = list.firstElementChild;
    for (const item of items) {
      const row = rows.get(item.id) ?? create(item);
      rows.set(item.id, row);
      row.show(item);
      // What is moved loses the focus: only what is new, or stands elsewhere, is put in.
      if (row.element === place) place = place.nextElementSibling;
      else list.insertBefore(row.element, place);
    }
  };
}
