import { element } from "./element.ts";
import type { Mode, ViewState } from "./url-state.ts";

type ModeState = Pick<ViewState, "mode" | "collapse">;

export interface ModeSwitch {
  readonly element: HTMLElement;
  show(state: ModeState): void;
}

const MODES: readonly { mode: Mode; label: string; title: string }[] = [
  { mode: "lexical", label: "Words", title: "Passages with these words" },
  { mode: "vector", label: "Meaning", title: "Passages whose embeddings are nearest" },
  { mode: "hybrid", label: "Both", title: "Both lists, fused" },
];

/** How hits are found. @param hasModel Without one only words are there. */
export function createModeSwitch(hasModel: boolean, onChange: (change: Partial<ModeState>) => void): ModeSwitch {
  const choices = MODES.map(({ mode, label, title }) => {
    const input = element("input", {
      type: "radio",
      name: "mode",
      value: mode,
      disabled: mode !== "lexical" && !hasModel,
      "data-testid": `mode-${mode}`,
      onchange: () => onChange({ mode }),
    });
    const reason = hasModel || mode === "lexical" ? title : "Choose a model in Storage first";
    return { mode, input, label: element("label", { title: reason }, input, element("span", {}, label)) };
  });
  const collapse = element("input", {
    type: "checkbox",
    id: "collapse",
    "data-testid": "collapse",
    onchange: () => onChange({ collapse: collapse.checked }),
  });
  const once = element("label", { class: "once" }, collapse, "Fold near-duplicates");
  return {
    element: element(
      "div",
      { class: "mode" },
      element(
        "fieldset",
        { class: "segments" },
        element("legend", { class: "visually-hidden" }, "Find by"),
        ...choices.map(({ label }) => label),
      ),
      once,
    ),
    show(state) {
      for (const { mode, input } of choices) input.checked = mode === state.mode;
      collapse.checked = state.collapse;
      once.hidden = state.mode === "lexical";
    },
  };
}
