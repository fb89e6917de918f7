import { button, element } from "./element.ts";

/** A question that destroys something when answered with yes. */
export interface Question {
  title: string;
  detail: string;
  /** What the confirming button does: `Delete document`. */
  action: string;
}

/** Asks in a modal dialog; resolves to whether the action was chosen. Escape and Cancel are no. */
export function confirmDialog(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = element(
      "dialog",
      {
        class: "confirm",
        role: "alertdialog",
        "aria-labelledby": "confirm-title",
        "aria-describedby": "confirm-detail",
        "data-testid": "confirm",
      },
      element("h2", { id: "confirm-title" }, question.title),
      element("p", { id: "confirm-detail" }, question.detail),
      element(
        "div",
        { class: "actions" },
        button({ autofocus: true, onclick: () => dialog.close() }, "Cancel"),
        button(
          {
            class: "danger",
            "data-testid": "confirm-action",
            onclick: () => dialog.close("confirmed"),
          },
          question.action,
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "confirmed");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
