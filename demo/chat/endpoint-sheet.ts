import { button, element } from "../element.ts";
import { icon } from "../icons.ts";
import {
  baseAddress,
  CONTEXT_LIMITS,
  DEFAULT_CONTEXT_TOKENS,
  type EndpointChoice,
  readEndpoint,
  writeEndpoint,
} from "./endpoint-choice.ts";

export interface EndpointSheet {
  readonly element: HTMLDialogElement;
  open(): void;
}

/** The sheet where a person connects a model that answers. @param onChosen Called when another one, or none, is connected. */
export function createEndpointSheet(onChosen: (choice: EndpointChoice | null) => void): EndpointSheet {
  const field = (
    name: string,
    label: string,
    attributes: Record<string, string | number | boolean>,
  ): [HTMLInputElement, HTMLElement] => {
    const id = `chat-${name}`;
    const input = element("input", { id, name, "data-testid": id, ...attributes });
    return [input, element("div", { class: "field" }, element("label", { for: id }, label), input)];
  };
  const [url, urlRow] = field("url", "Address", {
    type: "url",
    required: true,
    placeholder: "http://127.0.0.1:11434/v1",
    autocomplete: "off",
  });
  const [model, modelRow] = field("model", "Model", {
    type: "text",
    required: true,
    maxlength: 256,
    autocomplete: "off",
  });
  const [key, keyRow] = field("key", "Key", { type: "password", autocomplete: "off" });
  const [context, contextRow] = field("context", "Context", {
    type: "number",
    required: true,
    ...CONTEXT_LIMITS,
    step: 1,
  });
  const keep = element("input", { type: "checkbox", id: "chat-keep-key", "data-testid": "chat-keep-key" });
  const problem = element("p", { class: "error", role: "alert", "data-testid": "chat-problem" });
  const disconnect = button({ "data-testid": "chat-disconnect", onclick: () => choose(null) }, "Disconnect");
  const hint = (text: string): HTMLElement => element("p", { class: "hint" }, text);
  const form = element(
    "form",
    { class: "chat-endpoint", "data-testid": "chat-endpoint" },
    hint(
      "Any endpoint that speaks OpenAI’s chat completions: on your own machine (Ollama, llama.cpp, LM Studio) or elsewhere.",
    ),
    urlRow,
    modelRow,
    keyRow,
    element("label", { class: "keep-key", for: "chat-keep-key" }, keep, "Remember the key in this browser"),
    hint("Without that tick the key is gone with this tab."),
    contextRow,
    hint("Tokens that the passages and the last turns may take together."),
    hint(
      "Your questions, the last turns and the passages found for a question are sent to this address and nowhere else. Its server must allow this page to ask it (CORS).",
    ),
    problem,
    element(
      "div",
      { class: "actions" },
      button({ class: "primary", type: "submit", "data-testid": "chat-connect" }, "Connect"),
      disconnect,
    ),
  );
  const dialog = element(
    "dialog",
    { class: "sheet", "aria-labelledby": "chat-sheet-title", "data-testid": "chat-sheet" },
    element(
      "header",
      {},
      element("h2", { id: "chat-sheet-title" }, "Model that answers"),
      button({ class: "quiet square", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
    ),
    element("section", {}, form),
  );
  let origin = "";

  function choose(choice: EndpointChoice | null): void {
    writeEndpoint(choice);
    dialog.close();
    onChosen(choice);
  }

  function originOf(text: string): string {
    return URL.canParse(text) ? new URL(text).origin : "";
  }

  // A key is for one server: it must not go to another one by an edit of the address.
  url.addEventListener("change", () => {
    if (origin !== "" && originOf(url.value) !== origin) key.value = "";
    origin = originOf(url.value);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      const endpoint = { url: baseAddress(url.value), model: model.value.trim(), key: key.value.trim() };
      choose({ endpoint, contextTokens: context.valueAsNumber, isKeyKept: keep.checked && endpoint.key !== "" });
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
      url.focus();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  return {
    element: dialog,
    open() {
      const choice = readEndpoint();
      url.value = choice?.endpoint.url ?? "";
      model.value = choice?.endpoint.model ?? "";
      key.value = choice?.endpoint.key ?? "";
      keep.checked = choice?.isKeyKept ?? false;
      context.valueAsNumber = choice?.contextTokens ?? DEFAULT_CONTEXT_TOKENS;
      origin = originOf(url.value);
      problem.textContent = "";
      disconnect.hidden = choice === null;
      dialog.showModal();
    },
  };
}
