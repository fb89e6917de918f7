import { button, element } from "./element.ts";
import { type ModelChoice, readChoice, readKey, writeChoice } from "./model-choice.ts";

const KINDS: readonly { kind: ModelChoice["kind"]; label: string; hint: string }[] = [
  { kind: "hashing", label: "Built-in hashing", hint: "Works offline, at once. It knows spelling, not meaning." },
  { kind: "http", label: "A model behind HTTP", hint: "Ollama or any OpenAI-compatible endpoint, here or elsewhere." },
  { kind: "none", label: "None", hint: "Words only." },
];

/** Lets a person choose what makes embeddings. @param onChosen Called when the choice was saved. */
export function createModelForm(onChosen: () => void): HTMLElement {
  const choice = readChoice();
  const kinds = KINDS.map(({ kind, label, hint }) => {
    const input = element("input", {
      type: "radio",
      name: "model-kind",
      value: kind,
      checked: kind === choice.kind,
      "data-testid": `model-${kind}`,
      onchange: showEndpoint,
    });
    return {
      kind,
      input,
      row: element("label", { class: "model-kind" }, input, element("span", {}, element("b", {}, label), ` ${hint}`)),
    };
  });
  const field = (
    name: string,
    label: string,
    attributes: Record<string, string | number>,
  ): [HTMLInputElement, HTMLElement] => {
    const input = element("input", {
      id: `model-${name}`,
      name,
      required: true,
      "data-testid": `model-${name}`,
      ...attributes,
    });
    return [input, element("div", { class: "field" }, element("label", { for: `model-${name}` }, label), input)];
  };
  const [url, urlRow] = field("url", "Address", { type: "url", value: choice.url });
  const [model, modelRow] = field("name", "Model", { type: "text", value: choice.model });
  const [dimensions, dimensionsRow] = field("dimensions", "Dimensions", {
    type: "number",
    min: 1,
    max: 4096,
    value: choice.dimensions,
  });
  const [key, keyRow] = field("key", "Key", { type: "password", value: readKey(), autocomplete: "off" });
  key.required = false;
  const api = element(
    "select",
    { id: "model-api", "data-testid": "model-api" },
    ...(["ollama", "openai"] as const).map((one) =>
      element(
        "option",
        { value: one, selected: one === choice.api },
        one === "ollama" ? "Ollama" : "OpenAI-compatible",
      ),
    ),
  );
  const endpoint = element(
    "fieldset",
    { class: "endpoint" },
    element("legend", { class: "visually-hidden" }, "Endpoint"),
    urlRow,
    element("div", { class: "field" }, element("label", { for: "model-api" }, "Kind"), api),
    modelRow,
    dimensionsRow,
    keyRow,
    element(
      "p",
      { class: "hint" },
      "The key stays in this tab. Texts of your documents, and what you search for by meaning, go to this address.",
    ),
  );
  const form = element(
    "form",
    { "data-testid": "model-form" },
    ...kinds.map(({ row }) => row),
    endpoint,
    element(
      "p",
      { class: "hint" },
      "Embeddings of another model stay until the new ones are complete; then searches read those.",
    ),
    button({ type: "submit", "data-testid": "model-save" }, "Use this model"),
  );

  function chosen(): ModelChoice["kind"] {
    return kinds.find(({ input }) => input.checked)?.kind ?? "hashing";
  }

  function showEndpoint(): void {
    endpoint.hidden = chosen() !== "http";
    endpoint.disabled = endpoint.hidden;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    writeChoice(
      {
        kind: chosen(),
        url: url.value.trim(),
        api: api.value === "openai" ? "openai" : "ollama",
        model: model.value.trim(),
        dimensions: dimensions.valueAsNumber,
      },
      key.value.trim(),
    );
    onChosen();
  });
  showEndpoint();
  return form;
}
