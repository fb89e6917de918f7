import { button, element } from "./element.ts";

/** Asks for a line of text in a modal dialog. @returns the text without spaces around it, or `null` for Escape and Cancel. */
export function textDialog(question: {
  title: string;
  label: string;
  value: string;
  maxLength: number;
  action: string;
}): Promise<string | null> {
  return new Promise((resolve) => {
    const input = element("input", {
      type: "text",
      id: "text-dialog-input",
      value: question.value,
      maxlength: question.maxLength,
      required: true,
      autofocus: true,
      "data-testid": "text-dialog-input",
    });
    const form = element(
      "form",
      {},
      element("label", { for: "text-dialog-input" }, question.label),
      input,
      element(
        "div",
        { class: "actions" },
        button({ onclick: () => dialog.close() }, "Cancel"),
        button({ class: "primary", type: "submit", "data-testid": "text-dialog-action" }, question.action),
      ),
    );
    const dialog = element(
      "dialog",
      { class: "confirm", "aria-labelledby": "text-dialog-title", "data-testid": "text-dialog" },
      element("h2", { id: "text-dialog-title" }, question.title),
      form,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim() !== "") dialog.close("given");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "given" ? input.value.trim() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    input.select();
  });
}
