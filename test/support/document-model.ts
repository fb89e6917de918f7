import type { Chunk, DocumentFilter, NewDocument } from "../../src/contracts/documents.ts";
import { type SampleDocument, sampleDocument } from "./sample-document.ts";

/** What a put may set of a document besides its path and text. */
export interface SampleFields {
  title: string;
  tags: string[];
  trust: number;
  lang: string | null;
}

interface ModelDocument {
  document: NewDocument;
  chunks: Chunk[];
}

/** Document store, text index and embeddings as maps and loops, to hold the real ones against. */
export class DocumentModel {
  byPath = new Map<string, ModelDocument>();
  /** Chunk id to the status of its embedding. */
  embeddings = new Map<string, "committed" | "tombstone">();
  revision = 0;

  static sample(path: string, words: readonly string[], fields: SampleFields): SampleDocument {
    return sampleDocument(path, words.join("\n\n"), { ...fields, ingestedAt: 5 });
  }

  put(path: string, words: readonly string[], fields: SampleFields): void {
    const { document, chunks } = DocumentModel.sample(path, words, fields);
    const normal = { ...document, tags: [...new Set(document.tags)].sort() };
    const old = this.byPath.get(path);
    if (JSON.stringify(old) === JSON.stringify({ document: normal, chunks })) return;
    this.byPath.set(path, { document: normal, chunks });
    this.#bury(old?.chunks ?? [], old?.document.id === document.id ? chunks : []);
    this.revision++;
  }

  remove(path: string): void {
    const old = this.byPath.get(path);
    if (old === undefined) return;
    this.byPath.delete(path);
    this.#bury(old.chunks, []);
    this.revision++;
  }

  change(path: string, fields: Partial<NewDocument>): void {
    const old = this.byPath.get(path);
    if (old === undefined) return;
    const document = { ...old.document, ...fields };
    if (JSON.stringify(document) !== JSON.stringify(old.document)) this.revision++;
    this.byPath.set(path, { ...old, document });
  }

  replaceChunks(path: string, chunks: Chunk[]): void {
    const old = this.byPath.get(path);
    if (old === undefined || JSON.stringify(old.chunks) === JSON.stringify(chunks)) return;
    this.byPath.set(path, { ...old, chunks });
    this.#bury(old.chunks, chunks);
    this.revision++;
  }

  embed(path: string): void {
    for (const chunk of this.byPath.get(path)?.chunks ?? []) this.embeddings.set(chunk.id, "committed");
  }

  /** Ids of the chunks that hold a word in their text or headings, sorted. */
  matching(column: "text" | "heading", word: string): string[] {
    const found: string[] = [];
    for (const { document, chunks } of this.byPath.values()) {
      for (const chunk of chunks) {
        const searched = column === "text" ? chunk.text : [document.title, ...chunk.headingPath].join(" ");
        if (searched.toLowerCase().split(" ").includes(word)) found.push(chunk.id);
      }
    }
    return found.sort();
  }

  /** Documents that a filter takes, by path. */
  listed(takes: (document: NewDocument) => boolean): NewDocument[] {
    const paths = [...this.byPath.keys()].sort();
    return paths.map((path) => this.byPath.get(path)!.document).filter(takes);
  }

  copy(): DocumentModel {
    const copy = new DocumentModel();
    copy.byPath = new Map(this.byPath);
    copy.embeddings = new Map(this.embeddings);
    copy.revision = this.revision;
    return copy;
  }

  /** A chunk that is not exactly the same afterwards goes, and its embedding becomes a tombstone. */
  #bury(before: readonly Chunk[], after: readonly Chunk[]): void {
    const kept = new Set(after.map((chunk) => JSON.stringify(chunk)));
    for (const chunk of before) {
      if (!kept.has(JSON.stringify(chunk)) && this.embeddings.has(chunk.id)) this.embeddings.set(chunk.id, "tombstone");
    }
  }
}

/** Filters, each with what it takes said once more in plain code. */
export const MODEL_FILTERS: readonly [DocumentFilter, (document: NewDocument) => boolean][] = [
  [{}, () => true],
  [{ tagsAny: ["red", "blue"] }, ({ tags }) => tags.includes("red") || tags.includes("blue")],
  [{ pathGlob: "b/*" }, ({ workspacePath }) => workspacePath.startsWith("b/") && !workspacePath.slice(2).includes("/")],
  [
    { pathGlob: ["**/*.md"], trustMin: 0.5 },
    ({ workspacePath, trust }) => workspacePath.endsWith(".md") && trust >= 0.5,
  ],
  [{ lang: "zh" }, ({ lang }) => lang === "zh" || (lang ?? "").startsWith("zh-")],
  [{ ingestedAfter: 5 }, () => false],
  [{ sourceType: ["file"], media: "text/*", lang: ["en", "zh-cn"] }, ({ lang }) => lang === "en" || lang === "zh-cn"],
];
