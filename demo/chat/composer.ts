import { button, element } from "../element.ts";

/** Where questions are written. */
export interface Composer {
  readonly element: HTMLElement;
  focus(): void;
  /** While an answer is made it can be stopped, and the next question is written but not asked. */
  setBusy(isBusy: boolean): void;
}

interface ComposerOptions {
  onAsk: (question: string) => void;
  onStop: () => void;
  /** Says who answers, and where texts go. */
  footer: HTMLElement;
}

const LONGEST_QUESTION = 4000;

export function createComposer({ onAsk, onStop, footer }: ComposerOptions): Composer {
  const input = element("textarea", {
    id: "question",
    rows: 1,
    maxlength: LONGEST_QUESTION,
    placeholder: "Ask your documents",
    "aria-label": "Your question",
    "aria-describedby": "question-hint",
    enterkeyhint: "send",
    "data-testid": "question-input",
  });
  const ask = button({ class: "primary", type: "submit", "data-testid": "ask" }, "Ask");
  const stop = button({ hidden: true, "data-testid": "stop", onclick: onStop }, "Stop");
  let isBusy = false;

  function submit(): void {
    const question = input.value.trim();
    if (question === "" || isBusy) return;
    input.value = "";
    input.focus();
    onAsk(question);
  }

  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  const form = element(
    "form",
    { class: "composer", "aria-label": "Ask", "data-testid": "composer" },
    element("div", { class: "composer-row" }, input, stop, ask),
    element("p", { class: "visually-hidden", id: "question-hint" }, "Enter asks, Shift and Enter begins a new line."),
    footer,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  return {
    element: form,
    focus: () => input.focus(),
    setBusy(busy) {
      if (!busy && document.activeElement === stop) input.focus();
      isBusy = busy;
      stop.hidden = !busy;
      ask.hidden = busy;
    },
  };
}
