import { button, element } from "./element.ts";
import { icon } from "./icons.ts";

/** What an empty store shows: how to fill it. */
export function createWelcome(intakeButtons: HTMLButtonElement[], onSample: () => void): HTMLElement {
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
      "Drop Markdown, text or HTML files, or a whole folder, anywhere on this page. They are read, indexed and kept in this browser. Nothing leaves your machine, and everything is still there after a restart, offline too.",
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
