import type { Store } from "lodestore";
import { element } from "./element.ts";
import { followChanges } from "./follow-changes.ts";
import { formatCountOf } from "./quantities.ts";

interface LiveCountersOptions {
  store: Store;
  /** Ends following. */
  signal: AbortSignal;
  /** Called with the number of documents at the start, and after changes of documents by whomever. */
  onDocuments: (documents: number) => void;
  onError: (error: unknown) => void;
}

/** Shows how many documents the store holds, and follows it: through an ingest while it runs, and what others do. */
export function createLiveCounters({ store, signal, onDocuments, onError }: LiveCountersOptions): HTMLElement {
  const count = element("span", { class: "store-count", "data-testid": "store-count" });
  const look = async (): Promise<void> => {
    const documents = await store.documents.countDocuments();
    count.textContent = formatCountOf(documents, "document");
    onDocuments(documents);
  };
  void followChanges({ store, topics: ["documents"], signal, look, onError });
  return count;
}
