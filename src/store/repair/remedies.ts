import type { SqlDatabase } from "../../contracts/sql.ts";
import { ungroundAnswers } from "../answers/examine-answers.ts";
import { remakeTurnIndex } from "../chat/turn-index.ts";
import type { TransactionalBlobStore } from "../../contracts/blobs.ts";
import { FINDINGS } from "../check.ts";
import { renewCorpusRevision } from "../documents/corpus-revision.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";
import { sweepBlobs } from "../documents/sweep-blobs.ts";
import type { StoreEmbeddings } from "../embeddings/store-embeddings.ts";
import { interruptBrokenRuns } from "../evaluation/examine-evaluations.ts";
import { remakeTextIndex } from "../search/text-index.ts";
import { deleteDerivedOrphans } from "./derived-orphans.ts";
import { dropUnusedAssets, dropVectorLeftovers } from "./leftovers.ts";
import { restoreTriggers } from "./schema-triggers.ts";

/** What a remedy works with. */
export interface RemedyParts {
  db: SqlDatabase;
  /** Bytes of assets. */
  blobs: TransactionalBlobStore;
  embeddings: StoreEmbeddings;
  /** Bytes of assets beside the database. */
  external: ExternalAssets | undefined;
}

/** What answers some of the findings. */
export interface Remedy {
  names: readonly string[];
  /** What it does, as progress says it and, in a dry run, the step: `make the text index anew`. */
  does: string;
  /** Does it, whole or not at all. @returns what was done; empty where there was nothing that it can do. */
  run: (parts: RemedyParts, signal: AbortSignal | undefined) => Promise<string>;
}

/** In the order in which they are applied: the counter before all that raises it, chunks before their embeddings. */
export const REMEDIES: readonly Remedy[] = [
  {
    names: [FINDINGS.revision],
    does: "begin the corpus revision anew",
    run: async ({ db }) => {
      const revision = await db.transaction((tx) => renewCorpusRevision(tx));
      return `the corpus revision is ${revision} now`;
    },
  },
  {
    names: [FINDINGS.triggers],
    does: "make the missing triggers anew",
    run: async ({ db }) => `made anew: ${(await restoreTriggers(db)).join(", ")}`,
  },
  {
    names: [FINDINGS.textStructure, FINDINGS.textInStep],
    does: "make the text index anew",
    run: async ({ db }) => {
      await remakeTextIndex(db, async () => {});
      return "the text index was made anew";
    },
  },
  {
    names: [FINDINGS.chatStructure, FINDINGS.chatInStep],
    does: "make the text index over chat anew",
    run: async ({ db }) => {
      await remakeTurnIndex(db);
      return "the text index over chat was made anew";
    },
  },
  {
    names: [FINDINGS.answers],
    does: "say of answers that cite nothing that they are not grounded",
    run: async ({ db }) => `${counted(await ungroundAnswers(db), "answer")} said to be ungrounded`,
  },
  {
    names: [FINDINGS.evaluations],
    does: "say of evaluation runs without all of their results that they were interrupted",
    run: async ({ db }) => {
      const runs = await interruptBrokenRuns(db);
      return runs === 0 ? "" : `${counted(runs, "run")} said to be interrupted`;
    },
  },
  {
    names: [FINDINGS.foreignKeys],
    does: "delete what is derived from documents and tables that are gone",
    run: ({ db }) => deleteDerivedOrphans(db),
  },
  {
    names: [FINDINGS.unusedAssets],
    does: "delete the assets that no document has",
    run: async ({ db, blobs, external }, signal) =>
      `deleted ${counted(await dropUnusedAssets(db, blobs, external, signal), "asset")}`,
  },
  {
    names: [FINDINGS.strayBytes],
    does: "delete the bytes that no asset has",
    run: async ({ db, external }, signal) => {
      const { deleted } = await sweepBlobs(db, external, {
        dryRun: false,
        maxDelete: Number.MAX_SAFE_INTEGER - 1,
        signal,
      });
      return `deleted ${counted(deleted, "blob")} that no asset has`;
    },
  },
  {
    names: [FINDINGS.vectorLeftovers],
    does: "delete what vector indexes left that are gone",
    run: ({ db }) => dropVectorLeftovers(db),
  },
  {
    names: [FINDINGS.records, FINDINGS.vectors],
    does: "bring embedding records and vectors in step",
    run: async ({ embeddings }, signal) => {
      const erased = await embeddings.eraseBaseless(signal);
      return erased === 0 ? "swept" : `deleted ${counted(erased, "record")} that stood for nothing`;
    },
  },
];

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
