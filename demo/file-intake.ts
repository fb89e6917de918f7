import { button, element } from "./element.ts";
import { walkDrop, walkFileList, type FileSelection } from "./file-walk.ts";
import { icon } from "./icons.ts";

interface FileIntakeOptions {
  /** Ends the listening for drops. */
  signal: AbortSignal;
  onFiles: (selection: FileSelection) => void;
  onError: (error: unknown) => void;
}

export interface FileIntake {
  /** The hidden inputs and the sheet that covers the page while something is dragged over it. */
  readonly element: HTMLElement;
  /** Makes a pair of buttons; there may be several pairs on the page. */
  buttons(): HTMLButtonElement[];
}

/** Takes files from drops anywhere on the page and from the file and folder pickers. */
export function createFileIntake({ signal, onFiles, onError }: FileIntakeOptions): FileIntake {
  const files = picker({ "data-testid": "file-input", multiple: true });
  const folder = picker({ "data-testid": "folder-input", webkitdirectory: true, multiple: true });
  const sheet = element(
    "div",
    { class: "drop-sheet", hidden: true, "aria-hidden": "true" },
    element("p", {}, "Drop files or folders to take them in"),
  );

  function picker(attributes: Record<string, string | boolean>): HTMLInputElement {
    const input = element("input", { type: "file", hidden: true, ...attributes });
    input.addEventListener("change", () => {
      if (input.files !== null && input.files.length > 0) onFiles(walkFileList(input.files));
      // Without this, choosing the same folder again would not be a change.
      input.value = "";
    });
    return input;
  }

  // dragenter and dragleave come in pairs for every element on the way.
  let depth = 0;
  const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const listen = (
    type: "dragenter" | "dragleave" | "dragover" | "drop",
    /** @param isTaken Whether another part of the page has taken it. */
    listener: (event: DragEvent, isTaken: boolean) => void,
  ): void => {
    window.addEventListener(
      type,
      (event) => {
        if (!holdsFiles(event)) return;
        const isTaken = event.defaultPrevented;
        event.preventDefault();
        listener(event, isTaken);
      },
      { signal },
    );
  };
  listen("dragover", () => {});
  listen("dragenter", () => {
    depth += 1;
    sheet.hidden = false;
  });
  listen("dragleave", () => {
    depth -= 1;
    sheet.hidden = depth <= 0;
  });
  listen("drop", (event, isTaken) => {
    depth = 0;
    sheet.hidden = true;
    if (isTaken) return;
    const items = event.dataTransfer?.items;
    if (items !== undefined) walkDrop(items).then(onFiles).catch(onError);
  });

  return {
    element: element("div", {}, files, folder, sheet),
    buttons: () => [
      button(
        { "data-testid": "add-files", title: "Add files", onclick: () => files.click() },
        icon("file"),
        element("span", {}, "Add files"),
      ),
      button(
        { "data-testid": "add-folder", title: "Add a folder", onclick: () => folder.click() },
        icon("folder"),
        element("span", {}, "Add a folder"),
      ),
    ],
  };
}
