import { expect, onTestFinished, test } from "vitest";
import { deleteStore, openStore } from "../../src/browser.ts";
import { changeFeedConformance } from "../conformance/change-feed.ts";
import { take } from "../conformance/change-feed/take.ts";

let names = 0;
const freshName = (): string => `changes-${Date.now()}-${names++}`;

changeFeedConformance("of a store in a browser's worker", async () => {
  const name = freshName();
  const store = await openStore({ name });
  const close = async (): Promise<void> => {
    await store.close();
    await deleteStore({ name });
  };
  return { store, close };
});

test("a page that opens the store again goes on where it was, and its answers are kept while nothing changes", async () => {
  const name = freshName();
  onTestFinished(() => deleteStore({ name }));
  const first = await openStore({ name });
  await first.ingest({ path: "kiln.md", content: "# Kiln\n\nCone 6." });
  const since = await first.changeSequence();
  await first.ingest({ path: "glaze.md", content: "# Glaze\n\nCone 10." });
  await first.close();
  const again = await openStore({ name, searchCacheBytes: 100_000 });
  const changes = again.subscribe({ since });
  expect(await take(changes, 1)).toMatchObject([{ topic: "documents", kind: "inserted" }]);
  await changes.return?.();
  for (let n = 0; n < 3; n++) expect((await again.search({ text: "cone" })).hits).toHaveLength(2);
  await again.documents.deleteDocument((await again.documents.getDocumentByWorkspacePath("glaze.md"))!.id);
  expect((await again.search({ text: "cone" })).hits).toHaveLength(1);
  expect((await again.stats()).searchCache).toMatchObject({ hits: 2, misses: 2, maxBytes: 100_000 });
  await again.close();
  await expect(openStore({ name, searchCacheBytes: -1 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});
