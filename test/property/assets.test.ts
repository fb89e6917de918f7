import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { ExternalAssets } from "../../src/store/documents/external-assets.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { assetContentHash, assetId, documentId } from "../../src/store/ids.ts";
import { migrated } from "../support/migrated.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { haltingBlobs } from "../support/halting-blobs.ts";
import { sampleDocument } from "../support/sample-document.ts";

const LARGE = 1024 * 1024 + 1;
/** Two contents that are put, dropped and put again. */
const CONTENTS = [1, 2].map((value) => new Uint8Array(LARGE).fill(value));
const IDS = CONTENTS.map((bytes) => assetId(assetContentHash(bytes)));
const PATHS = ["a.bin", "b.bin"];

/** What is done at once: a put of a document whole, of bytes as a stream, a deletion, a sweep. */
const action = fc.oneof(
  fc.record({ kind: fc.constant("document" as const), path: fc.nat(1), content: fc.nat(1) }),
  fc.record({ kind: fc.constant("stream" as const), content: fc.nat(1) }),
  fc.record({ kind: fc.constant("delete" as const), path: fc.nat(1) }),
  fc.record({ kind: fc.constant("sweep" as const) }),
);

test("no sweep, deletion or put at the same time leaves a row without its bytes, in whatever order their steps come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(action, { minLength: 3, maxLength: 8 }), async (scheduler, actions) => {
      const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
      await migrated(db);
      const kept = new MemoryBlobStore();
      const blobs = haltingBlobs(kept, (name) => scheduler.schedule(Promise.resolve(), name));
      const documents = new SqlDocumentStore(db, new SqlBlobStore(db), "compact", new ExternalAssets(db, blobs));

      async function run(one: (typeof actions)[number]): Promise<void> {
        if (one.kind === "sweep") return void (await documents.sweepBlobs());
        if (one.kind === "delete") return void (await documents.purgeOrphanAtWorkspacePath(PATHS[one.path]!));
        const bytes = CONTENTS[one.content]!;
        if (one.kind === "stream") {
          return void (await documents.putAssetWithBytes({ bytes: new Blob([bytes]), mediaType: "video/mp4" }));
        }
        const path = PATHS[one.path]!;
        const { document } = sampleDocument(path, "One.");
        const asset = IDS[one.content]!;
        const id = documentId({ assetId: asset, parserVersion: document.parserVersion, workspacePath: path });
        await documents.putWhole({ bytes, document: { ...document, id, assetId: asset }, blocks: [], chunks: [] });
      }

      const running = Promise.all(actions.map(run));
      await scheduler.waitFor(running);

      const rows = await db.all<{ content_hash: string; blob_key: string }>(
        "SELECT content_hash, blob_key FROM assets WHERE blob_store = 'external'",
      );
      for (const { content_hash: hash, blob_key: key } of rows) {
        expect(assetContentHash(await kept.get(key))).toBe(hash);
      }
      // Nothing is held any more: what no row names is gone, or goes now.
      await scheduler.waitFor(documents.sweepBlobs());
      expect(await kept.list("")).toEqual(rows.map((row) => row.blob_key).sort());
      await db.close();
    }),
    { numRuns: 40 },
  );
}, 120_000);
