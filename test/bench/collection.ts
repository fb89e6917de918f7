import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { IngestFile } from "../../src/contracts/store.ts";

/** A document or a query of a collection. */
export interface Entry {
  _id: string;
  title?: string;
  text: string;
}

/** A retrieval test collection. */
export interface Collection {
  corpus: Entry[];
  queries: Entry[];
  /** Grades by document, by query. */
  judgements: Map<string, Map<string, number>>;
}

/** Reads corpus.jsonl.gz, queries.jsonl and qrels.tsv; undefined where one of them is absent. */
export function readCollection(folder: string): Collection | undefined {
  const [corpus, queries, qrels] = ["corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"].map((file) => join(folder, file));
  if (corpus === undefined || queries === undefined || qrels === undefined) return undefined;
  if (![corpus, queries, qrels].every((file) => existsSync(file))) return undefined;
  const judgements = new Map<string, Map<string, number>>();
  for (const line of readFileSync(qrels, "utf8").trim().split(/\r?\n/u).slice(1)) {
    const [query, document, grade] = line.split("\t");
    if (query === undefined || document === undefined) continue;
    const grades = judgements.get(query) ?? new Map<string, number>();
    grades.set(document, Number(grade));
    judgements.set(query, grades);
  }
  return {
    corpus: entries(gunzipSync(readFileSync(corpus)).toString("utf8")),
    queries: entries(readFileSync(queries, "utf8")),
    judgements,
  };
}

function entries(lines: string): Entry[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
}

/** The collections in the folder `text` of the data, by name. */
export function readCollections(dataDir: string, progress: (message: string) => void): Map<string, Collection> {
  const folder = join(dataDir, "text");
  const collections = new Map<string, Collection>();
  if (!existsSync(folder)) {
    progress(`no folder ${folder}: left out`);
    return collections;
  }
  for (const name of readdirSync(folder).toSorted()) {
    const collection = readCollection(join(folder, name));
    if (collection === undefined) progress(`${name} is not a collection, left out`);
    else collections.set(name, collection);
  }
  return collections;
}

/** The corpus as files, and which entry each is. */
export function collectionFiles(collection: Collection): { files: IngestFile[]; idOf: Map<string, string> } {
  const idOf = new Map<string, string>();
  const files = collection.corpus.map((entry, index): IngestFile => {
    const path = `${index}.txt`;
    idOf.set(path, entry._id);
    return { path, content: bodyOf(entry), ...(entry.title ? { title: entry.title } : {}) };
  });
  return { files, idOf };
}

/** Mean nDCG@10 of rankings by query id; queries without judgements do not count. */
export function meanNdcg(collection: Collection, rankings: ReadonlyMap<string, readonly string[]>): number {
  const gains = collection.queries.flatMap((query) => {
    const grades = collection.judgements.get(query._id);
    const gain = grades === undefined ? undefined : ndcg((rankings.get(query._id) ?? []).slice(0, 10), grades);
    return gain === undefined ? [] : [gain];
  });
  return gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
}

/** An entry without text is its title. */
function bodyOf({ title = "", text }: Entry): string {
  return text === "" ? title : text;
}

/** Bytes of what the collection says, each once: some repeat the title at the start of the text. */
export function sourceBytes({ title = "", text }: Entry): number {
  return Buffer.byteLength(text.startsWith(title) ? text : title + text);
}

/** Normalised discounted cumulative gain at 10; undefined where nothing is relevant.
 *  @see Järvelin & Kekäläinen 2002 */
function ndcg(ranked: readonly string[], grades: ReadonlyMap<string, number>): number | undefined {
  const discounted = (gains: readonly number[]): number =>
    gains.reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
  const ideal = discounted([...grades.values()].toSorted((a, b) => b - a).slice(0, 10));
  return ideal === 0 ? undefined : discounted(ranked.map((id) => grades.get(id) ?? 0)) / ideal;
}
