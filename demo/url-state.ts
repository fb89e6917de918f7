/** The document that is open, and the cited lines where it was opened from a hit. */
export interface OpenTarget {
  documentId: string;
  start?: number;
  end?: number;
}

/** The views of the page, in the order of their links. Each has a panel of its own; the document that is open is beside any of them. */
export const VIEWS = ["search", "chat", "jobs", "evaluation"] as const;
export type View = (typeof VIEWS)[number];

/** How hits are found: by words, by meaning, by both. */
export type Mode = "lexical" | "vector" | "hybrid";

/** What the page shows: everything that a reload brings back. */
export interface ViewState {
  view: View;
  text: string;
  lang: readonly string[];
  media: readonly string[];
  tags: readonly string[];
  /** Path glob, empty for none. */
  path: string;
  /** Whether a hit may hold only another form of a word. */
  wordForms: boolean;
  mode: Mode;
  /** Whether hits that mostly repeat a better one of their document are left out. */
  collapse: boolean;
  /** The conversation that the chat shows; `null` for a new one. */
  session: string | null;
  /** The run that the evaluation shows; `null` for none. */
  run: string | null;
  /** The run that it is compared with. */
  against: string | null;
  open: OpenTarget | null;
}

export const EMPTY_STATE: ViewState = {
  view: "search",
  text: "",
  lang: [],
  media: [],
  tags: [],
  path: "",
  wordForms: false,
  mode: "lexical",
  collapse: false,
  session: null,
  run: null,
  against: null,
  open: null,
};

const MODES: Readonly<Record<string, Mode>> = { meaning: "vector", both: "hybrid" };

/** Reads a location hash; what it does not understand is left out. */
export function parseHash(hash: string): ViewState {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  const documentId = params.get("open");
  const lines = /^(\d{1,9})-(\d{1,9})$/.exec(params.get("lines") ?? "");
  return {
    view: VIEWS.find((view) => view === params.get("view")) ?? "search",
    text: params.get("q") ?? "",
    lang: params.getAll("lang"),
    media: params.getAll("media"),
    tags: params.getAll("tag"),
    path: params.get("path") ?? "",
    wordForms: params.get("forms") === "1",
    mode: MODES[params.get("by") ?? ""] ?? "lexical",
    collapse: params.get("once") === "1",
    session: idIn(params.get("chat")),
    run: idIn(params.get("run")),
    against: idIn(params.get("against")),
    open:
      documentId === null
        ? null
        : lines === null
          ? { documentId }
          : { documentId, start: Number(lines[1]), end: Number(lines[2]) },
  };
}

function idIn(value: string | null): string | null {
  return /^[0-9a-f]{32}$/.exec(value ?? "")?.[0] ?? null;
}

/** Writes a location hash, `#` included; the empty state gives `#`. */
export function formatHash(state: ViewState): string {
  const params = new URLSearchParams();
  if (state.view !== "search") params.set("view", state.view);
  if (state.text !== "") params.set("q", state.text);
  for (const lang of state.lang) params.append("lang", lang);
  for (const media of state.media) params.append("media", media);
  for (const tag of state.tags) params.append("tag", tag);
  if (state.path !== "") params.set("path", state.path);
  if (state.wordForms) params.set("forms", "1");
  const by = Object.entries(MODES).find(([, mode]) => mode === state.mode)?.[0];
  if (by !== undefined) params.set("by", by);
  if (state.collapse) params.set("once", "1");
  if (state.session !== null) params.set("chat", state.session);
  if (state.run !== null) params.set("run", state.run);
  if (state.against !== null) params.set("against", state.against);
  if (state.open !== null) {
    params.set("open", state.open.documentId);
    const { start, end } = state.open;
    if (start !== undefined && end !== undefined) params.set("lines", `${start}-${end}`);
  }
  return `#${params.toString()}`;
}

/** Whether two states show the same document at the same lines. */
export function sameTarget(a: OpenTarget | null, b: OpenTarget | null): boolean {
  return a?.documentId === b?.documentId && a?.start === b?.start && a?.end === b?.end;
}
