import type { StoreStats } from "../node.ts";
import { counted, formatBytes, formatCount } from "./format.ts";
import { printable } from "./printable.ts";

/** Returns counts and sizes of a store, as lines for people. */
export function statsLines(stats: StoreStats): string[] {
  const languages = stats.languages.map(({ lang, documents }) => `${lang ?? "unknown"} ${formatCount(documents)}`);
  const kinds = stats.mediaTypes.map(({ mediaType, documents }) => `${mediaType} ${formatCount(documents)}`);
  const tags = stats.tags.slice(0, 10).map(({ tag, documents }) => `${tag} ${formatCount(documents)}`);
  const share = stats.textBytes === 0 ? "" : ` (${(stats.textIndexBytes / stats.textBytes).toFixed(2)} of the text)`;
  return [
    `${counted(stats.documents, "document")}, ${counted(stats.chunks, "passage")}, ${formatBytes(stats.sourceBytes)} of source`,
    `Database ${formatBytes(stats.databaseBytes)}, text index ${formatBytes(stats.textIndexBytes)}${share}`,
    ...assetLines(stats),
    `${stats.sql.engine}, schema ${stats.schemaVersion}, revision ${stats.corpusRevision}`,
    ...(languages.length === 0 ? [] : [`Languages: ${printable(languages.join(", "))}`]),
    ...(kinds.length === 0 ? [] : [`Kinds: ${printable(kinds.join(", "))}`]),
    ...(tags.length === 0 ? [] : [`Tags: ${printable(tags.join(", "))}`]),
  ];
}

/** Where large bytes are, and what equal ones share; nothing where there is neither. */
function assetLines({ assetStorage: { external, deduplicatedBytes } }: StoreStats): string[] {
  const beside =
    external.assets > 0 ? [`${formatBytes(external.bytes)} in ${counted(external.assets, "file")} beside it`] : [];
  const shared =
    deduplicatedBytes > 0 ? [`${formatBytes(deduplicatedBytes)} spared where documents have equal bytes`] : [];
  return beside.length + shared.length === 0 ? [] : [`Bytes of documents: ${[...beside, ...shared].join(", ")}`];
}
