import { characterEntities } from "character-entities";

/**
 * Loads micromark where there is no `document`.
 *
 * For bundlers that take the `browser` condition, micromark's dependency `decode-named-character-reference` decodes
 * `&amp;` with a DOM element that it makes when it is loaded. A worker has none, so the import itself would throw
 * "document is not defined". It gets an element that knows the same names, and `document` is gone again afterwards.
 *
 * @see https://github.com/wooorm/decode-named-character-reference
 */
export async function loadMicromark(): Promise<void> {
  const scope = globalThis as { document?: unknown };
  if (scope.document !== undefined) {
    await import("micromark");
    return;
  }
  scope.document = { createElement: () => new EntityElement() };
  try {
    await import("micromark");
  } finally {
    delete scope.document;
  }
}

/** Does what that package asks of an element: `&name;` in, its character out, or what was put in. */
class EntityElement {
  textContent = "";

  set innerHTML(html: string) {
    const name = html.slice(1, -1);
    this.textContent = Object.hasOwn(characterEntities, name) ? characterEntities[name]! : html;
  }
}
