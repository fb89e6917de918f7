import { button, element } from "./element.ts";
import { icon } from "./icons.ts";

interface WelcomeOptions {
  intakeButtons: HTMLButtonElement[];
  /** Host of the model that texts are sent to; `null` where none are. */
  modelHost: string | null;
  onSample: () => void;
}

export interface Welcome {
  readonly element: HTMLElement;
  /** Tells the host of the model that answers in the chat; `null` where there is none. */
  showChatHost(host: string | null): void;
}

/** What an empty store shows: how to fill it, and where the texts go. */
export function createWelcome({ intakeButtons, modelHost, onSample }: WelcomeOptions): Welcome {
  const privacy = element("span", { "data-testid": "privacy" }, privacyText(modelHost, null));
  const sample = button(
    { class: "primary", "data-testid": "load-sample", onclick: onSample },
    icon("book"),
    "Load the sample: Lodestore’s own documentation",
  );
  const page = element(
    "section",
    { class: "welcome", "aria-labelledby": "welcome-title", "data-testid": "welcome" },
    element("h2", { id: "welcome-title" }, "Search your documents, right here in this tab"),
    element(
      "p",
      {},
      "Drop Markdown, text or HTML files, or a whole folder, anywhere on this page. They are read, indexed and kept in this browser, and everything is still there after a restart, offline too. ",
      privacy,
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
  return {
    element: page,
    showChatHost(host) {
      privacy.textContent = privacyText(modelHost, host);
    },
  };
}

function privacyText(modelHost: string | null, chatHost: string | null): string {
  if (modelHost === null && chatHost === null) return "Nothing leaves your machine.";
  const sent: string[] = [];
  if (modelHost !== null) {
    sent.push(
      `The model that you chose is behind HTTP: the texts of your documents, and what you search for by meaning, are sent to ${modelHost}.`,
    );
  }
  if (chatHost !== null) sent.push(`What you ask in the chat, and the passages found for it, are sent to ${chatHost}.`);
  return `${sent.join(" ")} They go nowhere else.`;
}
