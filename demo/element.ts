/** Anything {@link element} appends; `null`, `undefined` and `false` are left out. */
export type Child = Node | string | null | undefined | false;

type AttributeValue = string | number | boolean | undefined | ((event: Event) => void);

/** Makes an HTML element. Strings become text nodes, functions become listeners (`onclick`), `true` an empty attribute. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, AttributeValue> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.replace(/^on/, ""), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => typeof child === "string" || child instanceof Node));
  return node;
}

/** Makes a push button. */
export function button(attributes: Record<string, AttributeValue>, ...children: Child[]): HTMLButtonElement {
  return element("button", { type: "button", ...attributes }, ...children);
}

/** Makes a description list of term and value pairs; pairs without a value are left out. */
export function descriptionList(
  pairs: readonly (readonly [string, Child])[],
  attributes: Record<string, AttributeValue> = {},
): HTMLDListElement {
  const rows = pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "")
    .map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));
  return element("dl", attributes, ...rows);
}
