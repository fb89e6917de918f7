import { button, element } from "./element.ts";
import { icon } from "./icons.ts";

interface WelcomeOptions {
  intakeButtons: HTMLButtonElement[];
  /** Host of the model that texts are sent to; `null` where none are. */
  modelHost: string | null;
  onSample: () => void;
}

/** What an empty store shows: how to fill it, and where the texts go. */
export function createWelcome({ intakeButtons, modelHost, onSample }: WelcomeOptions): HTMLElement {
  const sample = button(
    { class: "primary", "data-testid": "load-sample", onclick: onSample },
    icon("book"),
    "Load the sample: Lodestore’s own documentation",
  );
  return element(
    "section",
    { class: "welcome", "aria-labelledby": "welcome-title", "data-testid": "welcome" },
    element("h2", { id: "welcome-title" }, "Search your documents, right here in this tab"),
    element(
      "p",
      {},
      "Drop Markdown, text or HTML files, or a whole folder, anywhere on this page. They are read, indexed and kept in this browser, and everything is still there after a restart, offline too. ",
      element("span", { "data-testid": "privacy" }, privacy(modelHost)),
    ),
    element(
      "div",
      { class: "drop-target" },
      icon("plus"),
      element("p", {}, "Drop files or a folder"),
      element("div", { class: "actions" }, ...intakeButtons),
    ),
    element("div", { class: "or" }, sample),
  );
}

function privacy(modelHost: string | null): string {
  if (modelHost === null) return "Nothing leaves your machine.";
  return `The model that you chose is behind HTTP: the texts of your documents, and what you search for by meaning, are sent to ${modelHost}. They go nowhere else.`;
}
