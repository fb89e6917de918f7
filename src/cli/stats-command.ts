import { resolve } from "node:path";
import type { EmbeddingStatus, GenerationStatus, StoreStats, VectorTableExamination } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { embeddingJson } from "./embedding-outcome.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatCount } from "./format.ts";
import { indexLines } from "./index-lines.ts";
import { openStoreToRead, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { sizesLines } from "./sizes-lines.ts";
import { statsLines } from "./stats-lines.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

/** What `stats` tells. */
interface Figures {
  /** Folder of the store, absolute. */
  folder: string;
  stats: StoreStats;
  embeddings: EmbeddingStatus;
  indexes: VectorTableExamination[];
}

export const statsCommand: Command = {
  name: "stats",
  summary: "Count documents, embeddings and vector indexes",
  usage: "[options]",
  description: `Prints documents, passages and bytes; each generation of embeddings, which is
one version of a model: how many are committed, pending (written half) and
tombstones (of passages that are gone); what keeps the vectors; and each vector
index: how it is searched, its levels, what is linked and what waits, memory,
and the size and age of its snapshot and what changed since.

The indexes are loaded for it, but for a large one without a snapshot to load:
making that takes long, and stats changes nothing. With --sizes it tells the
rows and bytes of every table and index, too, for which it reads the whole file.`,
  options: [{ name: "sizes", help: "Rows and bytes of every table and index" }],
  examples: [
    ["lodestore stats", "Of the store in ./.lodestore"],
    ["lodestore stats --sizes", "Also where its bytes are"],
    ["lodestore stats --json | jq .embeddings.missing", "For programs"],
  ],
  run: runStats,
};

async function runStats(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  const figures = await read(args, terminal);
  if (terminal.json) {
    const { embeddings } = figures;
    const lastError = embeddingJson(embeddings.lastError ?? undefined);
    terminal.printJson({ ...figures, embeddings: { ...embeddings, lastError } });
  } else {
    terminal.print(...lines(figures, Date.now()));
  }
  return EXIT.ok;
}

async function read(args: Arguments, terminal: Terminal): Promise<Figures> {
  const folder = resolve(storeFolder(args, terminal));
  return useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    async (store) => {
      const indexes = await store.embeddings.examine({ quick: true });
      return {
        folder,
        stats: await store.stats({ sizes: args.has("sizes") }),
        embeddings: await store.embeddings.status(),
        indexes,
      };
    },
  );
}

function lines({ folder, stats, embeddings, indexes }: Figures, now: number): string[] {
  return [
    `Store in ${printable(folder)}`,
    ...statsLines(stats),
    ...modelLines(embeddings),
    ...(embeddings.generations.length === 0 ? [] : ["Embeddings:", ...embeddings.generations.map(generationLine)]),
    ...indexLines(stats, indexes, now),
    ...(stats.sizes === null ? [] : sizesLines(stats, stats.sizes)),
  ];
}

function modelLines({ model, missing, chunks }: EmbeddingStatus): string[] {
  if (model === null) return [];
  const name = `${printable(model.modelId)}, version ${printable(model.modelVersion)}`;
  if (missing === 0) return [`Every passage has its embedding of ${name}`];
  return [`${formatCount(missing)} of ${counted(chunks, "passage")} without an embedding of ${name}: lodestore embed`];
}

function generationLine(generation: GenerationStatus): string {
  const { modelId, modelVersion, dimensions, role, committed, pending, tombstones } = generation;
  const counts = [
    `${formatCount(committed)} committed`,
    `${formatCount(pending)} pending`,
    counted(tombstones, "tombstone"),
  ];
  return `  ${printable(modelId)}, version ${printable(modelVersion)}, ${counted(dimensions, "dimension")}, ${role}: ${counts.join(", ")}`;
}
