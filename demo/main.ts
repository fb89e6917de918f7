import { deleteStore, openStore } from "lodestore/browser";
import type { Store } from "lodestore";
import { type AppOptions, createApp } from "./app.ts";
import { element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { embedderOf, hostOf, readChoice } from "./model-choice.ts";
import { banner, openFailurePage } from "./page-message.ts";

declare global {
  interface Window {
    /** The open store, for the console: `await store.search({ text: "hello" })`. */
    store?: Store;
  }
}

const NAME = "demo";
const root = document.querySelector<HTMLElement>("#root") ?? document.body;

let shown = new AbortController();

/** Opens the store and shows the page; what was shown before goes. */
async function start(): Promise<void> {
  shown.abort();
  shown = new AbortController();
  delete window.store;
  root.replaceChildren(element("p", { class: "opening", role: "status" }, "Opening the store…"));
  try {
    const { store, hasModel, modelHost, modelProblem } = await openWithModel();
    window.store = store;
    const { signal } = shown;
    root.replaceChildren(
      createApp({
        store,
        signal,
        hasModel,
        modelHost,
        modelProblem,
        onDeleteEverything: () => deleteEverything(store),
        onModelChosen: () => void reopen(store),
      }),
    );
  } catch (error) {
    showFailure(error);
  }
}

type Opened = { store: Store } & Pick<AppOptions, "hasModel" | "modelHost" | "modelProblem">;

/** Opens the store with the model that was chosen. One that the store refuses keeps nobody from the documents: they are found by words. */
async function openWithModel(): Promise<Opened> {
  const choice = readChoice();
  const embedder = embedderOf(choice);
  const options = { name: NAME, onLost: showLost, embedOnOpen: false };
  const without = { hasModel: false, modelHost: null };
  if (embedder === undefined) return { store: await openStore(options), ...without, modelProblem: null };
  try {
    const store = await openStore({ ...options, embedder });
    return { store, hasModel: true, modelHost: hostOf(choice), modelProblem: null };
  } catch (error) {
    if (errorCode(error) !== "INVALID_INPUT") throw error;
    return { store: await openStore(options), ...without, modelProblem: errorText(error) };
  }
}

/** Opens the store anew: a model is chosen when it opens. */
async function reopen(store: Store): Promise<void> {
  shown.abort();
  try {
    await store.close();
  } catch (error) {
    showFailure(error);
    return;
  }
  await start();
}

async function deleteEverything(store: Store): Promise<void> {
  try {
    await store.close();
    await deleteStore({ name: NAME });
    history.replaceState(null, "", location.pathname + location.search);
  } catch (error) {
    showFailure(error);
    return;
  }
  await start();
}

function showFailure(error: unknown): void {
  root.replaceChildren(openFailurePage(error, () => void start()));
}

function showLost(): void {
  const text =
    "The worker that holds the store has stopped. Everything committed is safe; documents that were being taken in can be added again.";
  root.querySelector(".notices")?.replaceChildren(banner(text, "Reopen", () => void start()));
}

void start();
