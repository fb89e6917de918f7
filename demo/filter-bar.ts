import type { DocumentFilter, StoreStats } from "lodestore";
import { button, element } from "./element.ts";
import { icon } from "./icons.ts";
import { formatCount, languageName, mediaTypeName } from "./quantities.ts";
import type { ViewState } from "./url-state.ts";

type Facet = "lang" | "media" | "tags";
type Choice = { value: string; label: string; documents: number };
type FilterState = Pick<ViewState, Facet | "path" | "wordForms">;

export interface FilterBar {
  readonly element: HTMLElement;
  /** Offers what the store holds. */
  showStats(stats: StoreStats): void;
  /** Shows which filters are on. */
  showState(state: FilterState): void;
}

const CHIPS_SHOWN = 8;
const FACETS: readonly { facet: Facet; title: string }[] = [
  { facet: "lang", title: "Language" },
  { facet: "media", title: "Type" },
  { facet: "tags", title: "Tag" },
];

/** The store's filter for the filters of the page. */
export function documentFilter(state: FilterState): DocumentFilter {
  return {
    ...(state.lang.length > 0 && { lang: state.lang }),
    ...(state.media.length > 0 && { media: state.media }),
    ...(state.tags.length > 0 && { tagsAny: state.tags }),
    ...(state.path !== "" && { pathGlob: state.path }),
  };
}

export function createFilterBar(onChange: (change: Partial<FilterState>) => void): FilterBar {
  let state: FilterState = { lang: [], media: [], tags: [], path: "", wordForms: false };
  let choices: Record<Facet, Choice[]> = { lang: [], media: [], tags: [] };
  let documents = 0;
  const expanded = new Set<Facet>();

  const facets = element("div", { class: "facets" });
  const path = element("input", {
    type: "text",
    id: "path-glob",
    placeholder: "docs/**/*.md",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "data-testid": "path-glob",
    oninput: () => onChange({ path: path.value.trim() }),
  });
  const wordForms = element("input", {
    type: "checkbox",
    id: "word-forms",
    "data-testid": "word-forms",
    onchange: () => onChange({ wordForms: wordForms.checked }),
  });
  const body = element(
    "div",
    { class: "filter-body", id: "filter-body" },
    facets,
    element("div", { class: "filter-row" }, element("label", { for: "path-glob" }, "Path"), path),
    element(
      "div",
      { class: "filter-row" },
      wordForms,
      element("label", { for: "word-forms" }, "Also find other word forms"),
    ),
  );
  const label = element("span", {}, "Filters");
  const toggle = button(
    { class: "quiet", "aria-controls": "filter-body", "data-testid": "filters-toggle" },
    icon("filter"),
    label,
  );
  const clear = button(
    {
      class: "quiet",
      "data-testid": "filters-clear",
      onclick: () => {
        onChange({ lang: [], media: [], tags: [], path: "", wordForms: false });
        toggle.focus();
      },
    },
    "Clear",
  );
  const open = (isOpen: boolean): void => {
    body.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
  };
  toggle.addEventListener("click", () => open(body.hidden !== false));
  open(matchMedia("(min-width: 900px) and (min-height: 700px)").matches);

  function chip(facet: Facet, choice: Choice): HTMLButtonElement {
    const on = state[facet].includes(choice.value);
    return button(
      {
        class: "chip",
        "aria-pressed": String(on),
        "data-testid": `chip-${facet}-${choice.value}`,
        title: choice.value,
        onclick: () => {
          const others = state[facet].filter((value) => value !== choice.value);
          onChange({ [facet]: on ? others : [...others, choice.value] });
        },
      },
      choice.label,
      element("span", { class: "count" }, formatCount(choice.documents)),
    );
  }

  function group(facet: Facet, title: string): HTMLElement | null {
    // A filter that is on stays in sight, also when nothing in the store has it any more.
    const known = new Set(choices[facet].map((choice) => choice.value));
    const missing = state[facet].filter((value) => !known.has(value));
    const all = [...missing.map((value) => ({ value, label: value, documents: 0 })), ...choices[facet]];
    const isNoChoice = all.length === 1 && all[0]?.documents === documents && state[facet].length === 0;
    if (all.length === 0 || isNoChoice) return null;
    const isShown = (choice: Choice, index: number): boolean =>
      expanded.has(facet) || index < CHIPS_SHOWN || state[facet].includes(choice.value);
    const shown = all.filter(isShown);
    return element(
      "div",
      { class: "facet", role: "group", "aria-label": title },
      element("span", { class: "facet-title", "aria-hidden": "true" }, title),
      element(
        "div",
        { class: "facet-chips" },
        ...shown.map((choice) => chip(facet, choice)),
        shown.length < all.length &&
          button(
            {
              class: "chip more",
              onclick: () => {
                expanded.add(facet);
                draw();
                facets.querySelector<HTMLElement>(`[aria-label="${title}"] .chip`)?.focus();
              },
            },
            `+ ${all.length - shown.length} more`,
          ),
      ),
    );
  }

  function draw(): void {
    const focused = document.activeElement?.getAttribute("data-testid");
    facets.replaceChildren(...FACETS.map(({ facet, title }) => group(facet, title)).filter((node) => node !== null));
    if (focused?.startsWith("chip-") === true) {
      facets.querySelector<HTMLElement>(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
    }
    const on =
      state.lang.length +
      state.media.length +
      state.tags.length +
      (state.path === "" ? 0 : 1) +
      (state.wordForms ? 1 : 0);
    label.textContent = on === 0 ? "Filters" : `Filters (${on})`;
    clear.hidden = on === 0;
  }

  return {
    element: element(
      "div",
      { class: "filters", "data-testid": "filters" },
      element("div", { class: "filter-head" }, toggle, clear),
      body,
    ),
    showStats(stats) {
      documents = stats.documents;
      choices = {
        lang: stats.languages.flatMap(({ lang, documents }) =>
          lang === null ? [] : [{ value: lang, label: languageName(lang), documents }],
        ),
        media: stats.mediaTypes.map(({ mediaType, documents }) => ({
          value: mediaType,
          label: mediaTypeName(mediaType),
          documents,
        })),
        tags: stats.tags.map(({ tag, documents }) => ({ value: tag, label: tag, documents })),
      };
      for (const list of Object.values(choices)) list.sort((a, b) => b.documents - a.documents);
      draw();
    },
    showState(next) {
      state = next;
      if (path.value.trim() !== next.path) path.value = next.path;
      wordForms.checked = next.wordForms;
      draw();
    },
  };
}
