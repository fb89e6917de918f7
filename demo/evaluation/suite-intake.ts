import { parseEvalSuite, type Store } from "lodestore";
import { button, element } from "../element.ts";
import { errorText } from "../error-text.ts";
import { formatBytes, formatCountOf } from "../quantities.ts";

/** Largest file of a suite that is read. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** Takes a suite from a file that is chosen or dropped. @param onSuite Called with the name under which it was put. */
export function createSuiteIntake(store: Store, onSuite: (name: string) => void): HTMLElement {
  const status = element("p", { class: "hint", role: "status", "data-testid": "suite-status" });
  const input = element("input", {
    type: "file",
    accept: ".json,.jsonl,application/json",
    hidden: true,
    "data-testid": "suite-input",
    onchange: () => {
      const [file] = input.files ?? [];
      input.value = "";
      if (file !== undefined) void take(file);
    },
  });
  const area = element(
    "div",
    { class: "suite-drop", "data-testid": "suite-drop" },
    element(
      "p",
      {},
      "A suite is a JSON file of queries with the documents that should be found: ",
      element("code", {}, '{"queries":[{"id":"1","text":"how hot","expected":["guides/kiln.md"]}]}'),
      ", or a query a line (.jsonl).",
    ),
    button({ "data-testid": "choose-suite", onclick: () => input.click() }, "Choose a suite…"),
    input,
    status,
  );
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    // What is dropped here is a suite, and no document: the page leaves it alone.
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) void take(file);
  });

  async function take(file: File): Promise<void> {
    status.className = "hint";
    status.textContent = `Reading ${file.name}…`;
    try {
      if (file.size > MAX_FILE_BYTES) {
        throw new Error(`${file.name} has ${formatBytes(file.size)}, more than ${formatBytes(MAX_FILE_BYTES)}.`);
      }
      const { name, queryCount } = await store.evaluations.putSuite(parseEvalSuite(await file.text(), file.name));
      status.textContent = `“${name}” is in, with ${formatCountOf(queryCount, "query", "queries")}.`;
      onSuite(name);
    } catch (error) {
      status.className = "error";
      status.textContent = errorText(error);
    }
  }

  return area;
}
