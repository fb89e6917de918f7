import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { NewEvalSuite } from "../../src/contracts/evaluations.ts";
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

/** The queries of a collection with its judgements, by the paths of the documents.
 *  @param idOf Which entry each path is. */
export function collectionSuite(
  name: string,
  { queries, judgements }: Collection,
  idOf: ReadonlyMap<string, string>,
): NewEvalSuite {
  const pathOf = new Map([...idOf].map(([path, id]) => [id, path]));
  return {
    name,
    queries: queries.map(({ _id, text }) => {
      const grades = [...(judgements.get(_id) ?? [])];
      // A judged document that is not in the corpus counts as one that is not found.
      return {
        id: _id,
        text,
        judgements: Object.fromEntries(grades.map(([id, grade]) => [pathOf.get(id) ?? id, grade])),
      };
    }),
  };
}

/** An entry without text is its title. */
function bodyOf({ title = "", text }: Entry): string {
  return text === "" ? title : text;
}

/** Bytes of what the collection says, each once: some repeat the title at the start of the text. */
export function sourceBytes({ title = "", text }: Entry): number {
  return Buffer.byteLength(text.startsWith(title) ? text : title + text);
}
