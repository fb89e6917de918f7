import type { Document, Store } from "lodestore";
import { answerReport } from "./answer-report.ts";
import { documentFilter } from "./filter-bar.ts";
import { documentCard, hitCard, type ResultItem } from "./result-card.ts";
import { EMPTY_STATE, formatHash, type OpenTarget, type ViewState } from "./url-state.ts";

/** A page of hits, or of documents where nothing is searched for. */
export interface ResultPage {
  kind: "hits" | "documents";
  items: ResultItem[];
  nextCursor?: string;
  /** Documents that pass the filters; absent for hits, which are not counted to the end. */
  total?: number;
  /** How the answer was made; absent for documents. */
  report?: HTMLElement;
  /** Why the answer stands on words alone, where it should not. */
  withoutVectors?: string;
  /** Time of the search itself, measured in this page across the worker. */
  searchMs: number;
}

const HITS_A_PAGE = 20;
const DOCUMENTS_A_PAGE = 50;

/** Whether the two states ask the same question. */
export function sameQuestion(a: ViewState, b: ViewState): boolean {
  const { view, session, run, against, open } = EMPTY_STATE;
  const apart = { view, session, run, against, open };
  return formatHash({ ...a, ...apart }) === formatHash({ ...b, ...apart });
}

/** Asks the store for the page of results that the state describes. */
export function loadPage(
  store: Store,
  state: ViewState,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<ResultPage> {
  return state.text.trim() === "" ? loadDocuments(store, state, cursor) : loadHits(store, state, cursor, signal);
}

function hrefOf(state: ViewState, open: OpenTarget): string {
  return formatHash({ ...state, open });
}

async function loadDocuments(store: Store, state: ViewState, cursor: string | undefined): Promise<ResultPage> {
  const filter = documentFilter(state);
  const startedAt = performance.now();
  const [page, total] = await Promise.all([
    store.documents.listDocuments(filter, { limit: DOCUMENTS_A_PAGE, ...(cursor !== undefined && { cursor }) }),
    store.documents.countDocuments(filter),
  ]);
  return {
    kind: "documents",
    items: page.items.map((document) => documentCard(document, hrefOf(state, { documentId: document.id }))),
    ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
    total,
    searchMs: performance.now() - startedAt,
  };
}

async function loadHits(
  store: Store,
  state: ViewState,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<ResultPage> {
  const startedAt = performance.now();
  const result = await store.search(
    {
      text: state.text,
      k: HITS_A_PAGE,
      filters: documentFilter(state),
      prefixLast: true,
      stemming: state.wordForms ? "match" : "rank",
      mode: state.mode,
      collapse: state.collapse && state.mode !== "lexical",
      explain: true,
      ...(cursor !== undefined && { cursor }),
    },
    { signal },
  );
  const searchMs = performance.now() - startedAt;
  const documents = await documentsOf(store, [...new Set(result.hits.map((hit) => hit.documentId))]);
  return {
    kind: "hits",
    items: result.hits.map((hit) => {
      const { start, end } = hit.citation.span;
      const href = hrefOf(state, { documentId: hit.documentId, start, end });
      return hitCard(hit, documents.get(hit.documentId), href);
    }),
    ...(result.nextCursor !== undefined && { nextCursor: result.nextCursor }),
    ...(result.explain !== undefined && { report: answerReport(result.explain, result.hits) }),
    ...(result.withoutVectors !== undefined && { withoutVectors: result.withoutVectors.message }),
    searchMs,
  };
}

async function documentsOf(store: Store, docId: string[]): Promise<Map<string, Document>> {
  if (docId.length === 0) return new Map();
  const page = await store.documents.listDocuments({ docId }, { limit: docId.length });
  return new Map(page.items.map((document) => [document.id, document]));
}
