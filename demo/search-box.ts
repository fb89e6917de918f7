import { button, element } from "./element.ts";
import { icon } from "./icons.ts";

export interface SearchBox {
  readonly element: HTMLElement;
  show(text: string): void;
  focus(): void;
}

interface SearchBoxOptions {
  /** Called at every keystroke, and once at the end of a composition (Chinese, Japanese, Korean input). */
  onText: (text: string) => void;
  /** Arrow down: go to the results. */
  onLeaveDown: () => void;
}

export function createSearchBox({ onText, onLeaveDown }: SearchBoxOptions): SearchBox {
  const input = element("input", {
    type: "search",
    id: "search",
    "aria-label": "Search the documents",
    placeholder: "Search",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    "data-testid": "search",
  });
  const clear = button(
    { class: "quiet square clear", hidden: true, "aria-label": "Clear the search", "data-testid": "search-clear" },
    icon("close"),
  );
  const hint = element("kbd", { class: "when-wide", "aria-hidden": "true" }, "/");

  function changed(): void {
    clear.hidden = input.value === "";
    hint.hidden = input.value !== "";
    onText(input.value);
  }

  function empty(): void {
    input.value = "";
    changed();
    input.focus();
  }

  input.addEventListener("input", (event) => {
    if (!event.isComposing) changed();
  });
  input.addEventListener("compositionend", changed);
  clear.addEventListener("click", empty);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") {
      event.preventDefault();
      onLeaveDown();
    } else if (event.key === "Escape" && input.value !== "") {
      // Taken here, so that the same key press does not close the open document as well.
      event.preventDefault();
      event.stopPropagation();
      empty();
    }
  });

  return {
    element: element("div", { class: "search-box", role: "search" }, icon("search"), input, hint, clear),
    show(text) {
      if (input.value !== text) input.value = text;
      clear.hidden = input.value === "";
      hint.hidden = input.value !== "";
    },
    focus() {
      input.focus();
      input.select();
    },
  };
}
