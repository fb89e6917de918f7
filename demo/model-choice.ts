import type { OpenBrowserStoreOptions } from "lodestore/browser";

/** What makes embeddings, as a person chose it. */
export interface ModelChoice {
  kind: "none" | "hashing" | "http";
  /** For `http`. */
  url: string;
  api: "openai" | "ollama";
  model: string;
  dimensions: number;
}

const CHOICE = "lodestore-model";
const KEY = "lodestore-model-key";
export const DEFAULT_CHOICE: ModelChoice = {
  kind: "hashing",
  url: "http://127.0.0.1:11434",
  api: "ollama",
  model: "nomic-embed-text",
  dimensions: 768,
};

/** Reads the choice of this browser; what cannot be read is the default. */
export function readChoice(): ModelChoice {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(CHOICE) ?? "null");
    if (typeof stored === "object" && stored !== null) return { ...DEFAULT_CHOICE, ...stored };
  } catch {
    // Another program wrote it, or the browser keeps nothing: the default it is.
  }
  return DEFAULT_CHOICE;
}

/** Remembers the choice; the key for this tab alone. */
export function writeChoice(choice: ModelChoice, key: string): void {
  localStorage.setItem(CHOICE, JSON.stringify(choice));
  sessionStorage.setItem(KEY, key);
}

export function readKey(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

/** The host that texts are sent to with this choice, or `null` where they stay here. */
export function hostOf(choice: ModelChoice): string | null {
  return choice.kind === "http" ? new URL(choice.url).host : null;
}

/** The embedder of the choice, as the store takes it. */
export function embedderOf(choice: ModelChoice): OpenBrowserStoreOptions["embedder"] {
  if (choice.kind === "none") return undefined;
  if (choice.kind === "hashing") return { kind: "hashing" };
  const { url, api, model, dimensions } = choice;
  const apiKey = readKey();
  return { kind: "http", url, api, model, dimensions, ...(apiKey === "" ? {} : { apiKey }) };
}
