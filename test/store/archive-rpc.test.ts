import { expect, test } from "vitest";
import type { ArchiveProgress } from "../../src/contracts/archive.ts";
import type { Store } from "../../src/contracts/store.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import { servedHere } from "../rpc/served-here.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const FILES = Array.from({ length: 50 }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nglaze ${n} of kilns` }));

async function served(embedder?: TestEmbedder): Promise<StoreClient> {
  const { store } = await openEmbeddingStore({ vectors: flatVectors, embedder });
  return new StoreClient(await servedHere<Store>(store));
}

test("an archive goes out and in across the boundary, from every kind of source", async () => {
  await using source = await served(new TestEmbedder());
  await source.ingest(FILES, { embed: "wait" });
  const told: ArchiveProgress[] = [];
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of source.export({ onProgress: (now) => told.push(now) })) pieces.push(new Uint8Array(piece));
  const blob = new Blob(pieces);
  expect(told.at(-1)).toMatchObject({ phase: "transfer", done: blob.size, total: blob.size });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  for (const kind of [() => blob, () => blob.stream(), () => inPieces(bytes, 10_000)]) {
    await using target = await served(new TestEmbedder());
    const progress: ArchiveProgress[] = [];
    const report = await target.import(kind(), { onProgress: (now) => progress.push(now) });
    expect(report).toMatchObject({ documents: 50, embeddings: 50, missing: 0, bytes: blob.size });
    expect(progress.at(-1)).toMatchObject({ phase: "write" });
    const query = { text: "glaze kilns", mode: "hybrid", k: 30 } as const;
    expect((await target.search(query)).hits).toEqual((await source.search(query)).hits);
  }
});

test("across the boundary loops are left, calls are aborted and errors keep their codes", async () => {
  await using source = await served();
  await source.ingest(FILES);
  for await (const piece of source.export()) {
    expect(piece.byteLength).toBe(512);
    break;
  }
  const archive = await archiveOf(source);
  await using target = await served();
  const controller = new AbortController();
  let ended = false;
  const hanging = new ReadableStream<Uint8Array>({
    pull: (stream) => {
      stream.enqueue(archive.slice(0, 1024));
      controller.abort();
      return new Promise(() => undefined);
    },
    cancel: () => void (ended = true),
  });
  const aborted = target.import(hanging, { signal: controller.signal });
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED", capability: "archive" });
  await expect.poll(() => ended).toBe(true);
  await expect(target.import(inPieces(archive.subarray(0, 5000)))).rejects.toMatchObject({
    code: "BAD_FORMAT",
    capability: "archive",
    operation: "import",
  });
  await expect(target.import(5 as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(source.import(inPieces(archive))).rejects.toMatchObject({ code: "CONFLICT" });
  expect(await target.import(inPieces(archive))).toMatchObject({ documents: 50 });
});
