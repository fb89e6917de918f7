import type { NewEvalQuery, SearchHit, Store } from "lodestore";
import { button, element } from "../element.ts";
import { errorText } from "../error-text.ts";
import { formatCountOf } from "../quantities.ts";

const HITS = 20;

/** Makes a suite by hand: a query is searched for, and the documents that should be found are ticked.
 *  @param onSuite Called with the name of the suite that a query was added to. */
export function createSuiteMaker(store: Store, byMeaning: boolean, onSuite: (name: string) => void): HTMLElement {
  const name = element("input", {
    id: "maker-name",
    type: "text",
    maxlength: 256,
    required: true,
    value: "my queries",
    "data-testid": "maker-name",
  });
  const text = element("input", {
    id: "maker-text",
    type: "text",
    maxlength: 4096,
    required: true,
    "data-testid": "maker-text",
  });
  const found = element("ul", { class: "maker-hits", "data-testid": "maker-hits" });
  const add = button(
    { class: "primary", hidden: true, "data-testid": "maker-add", onclick: () => void put() },
    "Add the query",
  );
  const status = element("p", { class: "hint", role: "status", "data-testid": "maker-status" });
  let asked = "";
  const form = element(
    "form",
    { class: "run-form", "aria-label": "Make a suite" },
    field("Suite", name),
    field("Query", text),
    element("div", { class: "actions" }, button({ type: "submit", "data-testid": "maker-find" }, "Find")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void find();
  });

  function say(said: string, isError = false): void {
    status.className = isError ? "error" : "hint";
    status.textContent = said;
  }

  async function find(): Promise<void> {
    const mine = text.value.trim();
    asked = mine;
    try {
      const mode = byMeaning ? "hybrid" : "lexical";
      const { hits } = await store.search({ text: mine, plainText: true, mode, k: HITS });
      if (asked !== mine) return;
      const first = new Map<string, SearchHit>();
      for (const hit of hits) if (!first.has(hit.citation.workspacePath)) first.set(hit.citation.workspacePath, hit);
      found.replaceChildren(
        ...[...first].map(([path, { title }]) =>
          element(
            "li",
            {},
            element(
              "label",
              {},
              element("input", { type: "checkbox", value: path }),
              element("span", {}, title || path, " ", element("code", {}, path)),
            ),
          ),
        ),
      );
      add.hidden = first.size === 0;
      say(first.size === 0 ? "Nothing is found for it." : "Tick what should be found for it.");
    } catch (error) {
      say(errorText(error), true);
    }
  }

  async function put(): Promise<void> {
    const expected = [...found.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
    if (expected.length === 0) return say("Tick at least one document.", true);
    try {
      const suiteName = name.value.trim();
      const suite = await store.evaluations.getSuite(suiteName);
      if (suite !== undefined && suite.judged !== "path") {
        return say(`“${suiteName}” is judged by ids, and not by paths: take another name.`, true);
      }
      const queries: NewEvalQuery[] = [...(suite?.queries ?? [])];
      const ids = new Set(queries.map(({ id }) => id));
      let number = queries.length + 1;
      while (ids.has(String(number))) number += 1;
      queries.push({ id: String(number), text: asked, expected });
      const description = suite?.description ?? null;
      const { queryCount } = await store.evaluations.putSuite({
        name: suiteName,
        description,
        judged: "path",
        queries,
      });
      say(`“${suiteName}” has ${formatCountOf(queryCount, "query", "queries")} now.`);
      found.replaceChildren();
      add.hidden = true;
      text.value = "";
      text.focus();
      onSuite(suiteName);
    } catch (error) {
      say(errorText(error), true);
    }
  }

  return element(
    "details",
    { "data-testid": "suite-maker" },
    element("summary", {}, "Make a suite out of searches"),
    form,
    found,
    element("div", { class: "actions" }, add),
    status,
  );
}

function field(label: string, control: HTMLElement): HTMLElement {
  return element("div", { class: "run-field" }, element("label", { for: control.id }, label), control);
}
