import type { SearchCacheStats, Store, StoredObject, StoreSizes, StoreStats } from "lodestore";
import { button, descriptionList, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { formatBytes, formatCount } from "./quantities.ts";

/** Largest tables and indexes that are listed. */
const NAMED = 20;

/** Gives free room back, and tells where the bytes are. @param onFreed Called when the database has become smaller. */
export function createUpkeepSection(store: Store, onFreed: () => void): HTMLElement {
  let running: AbortController | null = null;
  const vacuum = button({ "data-testid": "vacuum", onclick: () => void run() }, "Give back free room");
  const stop = button(
    { class: "quiet", hidden: true, "data-testid": "vacuum-stop", onclick: () => running?.abort() },
    "Stop",
  );
  const status = element("p", { class: "hint", role: "status", "data-testid": "vacuum-status" });
  const sizes = element("div", { class: "sizes", "data-testid": "sizes" });
  const details = element(
    "details",
    { "data-testid": "sizes-details" },
    element("summary", {}, "Where the bytes are"),
    sizes,
  );
  // It reads the whole file, so only who wants to know it has it read.
  details.addEventListener("toggle", () => {
    if (details.open) void measure();
  });

  function say(text: string, isError = false): void {
    status.className = isError ? "error" : "hint";
    status.textContent = text;
  }

  function setRunning(abort: AbortController | null): void {
    const hadFocus = document.activeElement === stop;
    running = abort;
    vacuum.disabled = abort !== null;
    stop.hidden = abort === null;
    if (hadFocus) vacuum.focus();
  }

  async function run(): Promise<void> {
    const abort = new AbortController();
    setRunning(abort);
    say("Giving back free room…");
    try {
      const { freedBytes, databaseBytes } = await store.vacuum({
        signal: abort.signal,
        onProgress: ({ freedBytes: freed, leftBytes }) =>
          say(`${formatBytes(freed)} given back, ${formatBytes(leftBytes)} to go…`),
      });
      const now = `the database has ${formatBytes(databaseBytes)}.`;
      say(freedBytes > 0 ? `${formatBytes(freedBytes)} given back; ${now}` : `There was nothing to give back; ${now}`);
    } catch (error) {
      if (errorCode(error) === "ABORTED") say("Stopped. What was given back is given back.");
      else say(errorText(error), true);
    } finally {
      setRunning(null);
      onFreed();
      if (details.open) void measure();
    }
  }

  async function measure(): Promise<void> {
    if (sizes.childElementCount === 0) sizes.append(element("p", { class: "hint" }, "Measuring…"));
    try {
      sizes.replaceChildren(...sizeLines(await store.stats({ sizes: true })));
    } catch (error) {
      sizes.replaceChildren(element("p", { class: "error" }, errorText(error)));
    }
  }

  return element(
    "section",
    {},
    element("h3", {}, "Room and memory"),
    element("div", { class: "actions" }, vacuum, stop),
    status,
    details,
  );
}

function sizeLines({ searchCache, sizes }: StoreStats): HTMLElement[] {
  return [
    element("h4", {}, "Answers of searches that are kept"),
    cacheLines(searchCache),
    ...(sizes === null ? [] : [element("h4", {}, "Tables and indexes"), objectLines(sizes)]),
  ];
}

function cacheLines({ hits, misses, hitRate, entries, bytes }: SearchCacheStats): HTMLElement {
  const asked = hits + misses;
  return descriptionList([
    [
      "Used again",
      asked === 0
        ? "nothing asked yet"
        : `${formatCount(hits)} of ${formatCount(asked)} searches (${Math.round(100 * hitRate)}\u00a0%)`,
    ],
    ["Kept", `${formatCount(entries)}, ${formatBytes(bytes)}`],
  ]);
}

function objectLines({ objects, otherBytes }: StoreSizes): HTMLElement {
  const what = ({ rows, bytes }: StoredObject): string =>
    [bytes === null ? "" : formatBytes(bytes), rows === null ? "" : `${formatCount(rows)} rows`]
      .filter((part) => part !== "")
      .join(", ");
  const left = objects.slice(NAMED).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  return descriptionList([
    ...objects.slice(0, NAMED).map((object): [string, string] => [object.name, what(object)]),
    [`${formatCount(Math.max(0, objects.length - NAMED))} smaller ones`, left === 0 ? "" : formatBytes(left)],
    ["Bookkeeping of the engine", otherBytes === null ? "" : formatBytes(otherBytes)],
  ]);
}
