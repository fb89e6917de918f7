import { button, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";

interface Message {
  title: string;
  detail: string;
  action: string;
}

function messageFor(error: unknown): Message {
  switch (errorCode(error)) {
    case "CONFLICT":
      return {
        title: "This store is open in another tab",
        detail: "One tab at a time holds the store. Close the other tab, or go on there; then try again here.",
        action: "Try again",
      };
    case "UNSUPPORTED":
      return {
        title: "This browser cannot hold the store",
        detail: `It needs files of the origin's private file system (OPFS) in a worker: a current Chrome, Edge, Firefox or Safari, outside private browsing. ${errorText(error)}`,
        action: "Try again",
      };
    case "SCHEMA_TOO_NEW":
      return {
        title: "This store was written by a newer version",
        detail: `Nothing was changed. Load the newest version of this page, then try again. ${errorText(error)}`,
        action: "Reload",
      };
    default:
      return { title: "The store could not be opened", detail: errorText(error), action: "Try again" };
  }
}

/** The page for a store that did not open: what is the matter, and a button to try again. */
export function openFailurePage(error: unknown, onRetry: () => void): HTMLElement {
  const message = messageFor(error);
  return element(
    "main",
    { class: "page-message", "data-testid": "page-message", "data-code": errorCode(error) },
    element("h1", {}, message.title),
    element("p", { role: "alert" }, message.detail),
    button({ class: "primary", "data-testid": "retry", onclick: onRetry }, message.action),
  );
}

/** A strip across the top of the page with one thing to do. */
export function banner(text: string, action: string, onAction: () => void): HTMLElement {
  return element(
    "div",
    { class: "banner", role: "alert", "data-testid": "banner" },
    element("p", {}, text),
    button({ class: "primary", "data-testid": "banner-action", onclick: onAction }, action),
  );
}
