import { button, element } from "../element.ts";
import { type FileSelection, walkFileList } from "../file-walk.ts";

/** Asks for the files of an ingest again: a page may not read them by itself. @returns `null` where the person thought better of it. */
export function chooseAgain(name: string): Promise<FileSelection | null> {
  return new Promise((resolve) => {
    let chosen: FileSelection | null = null;
    const input = (attributes: Record<string, string | boolean>): HTMLInputElement => {
      const picker = element("input", { type: "file", hidden: true, multiple: true, ...attributes });
      picker.addEventListener("change", () => {
        if (picker.files === null || picker.files.length === 0) return;
        chosen = walkFileList(picker.files);
        dialog.close();
      });
      return picker;
    };
    const folder = input({ webkitdirectory: true, "data-testid": "resume-folder-input" });
    const files = input({ "data-testid": "resume-files-input" });
    const which = name === "" ? "the same folder or files" : `“${name}”`;
    const dialog = element(
      "dialog",
      {
        class: "confirm",
        "aria-labelledby": "choose-again-title",
        "aria-describedby": "choose-again-detail",
        "data-testid": "choose-again",
      },
      element("h2", { id: "choose-again-title" }, "Choose the files again"),
      element(
        "p",
        { id: "choose-again-detail" },
        `A page may not read files that were chosen before. Choose ${which} again: what is in already is skipped.`,
      ),
      element(
        "div",
        { class: "actions" },
        button({ onclick: () => dialog.close() }, "Cancel"),
        button({ onclick: () => files.click() }, "Choose files…"),
        button(
          { class: "primary", autofocus: true, "data-testid": "choose-folder", onclick: () => folder.click() },
          "Choose a folder…",
        ),
      ),
      folder,
      files,
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(chosen);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
