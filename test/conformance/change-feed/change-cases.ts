import { expect, test } from "vitest";
import type { Change } from "../../../src/contracts/changes.ts";
import type { Store } from "../../../src/contracts/store.ts";
import { takeAll } from "./take.ts";

/** Every ingest is a job, too. */
function ofDocuments(changes: readonly Change[]): Change[] {
  return changes.filter(({ topic }) => topic === "documents");
}

/** What is told of each kind of write. */
export function changeCases(store: () => Store): void {
  test("tells of a document that is taken in, changed and deleted, one change each", async () => {
    const revisions: number[] = [];
    const ingest = async (content: string): Promise<void> => {
      await store().ingest({ path: "kiln.md", content }, { embed: "off" });
      revisions.push(await store().documents.corpusRevision());
    };
    await ingest("# Kiln\n\nCone 6.\n\n## Glaze\n\nCeladon.");
    const made = await store().documents.getDocumentByWorkspacePath("kiln.md");
    await store().documents.putDocument({ ...made!, tags: ["heat"] });
    revisions.push(await store().documents.corpusRevision());
    await store().documents.deleteDocument(made!.id);
    revisions.push(await store().documents.corpusRevision());
    const changes = ofDocuments(await takeAll(store()));
    const id = made!.id;
    expect(changes).toMatchObject([
      { topic: "documents", kind: "inserted", id },
      { topic: "documents", kind: "updated", id },
      { topic: "documents", kind: "deleted", id },
    ]);
    expect(changes.map(({ corpusRevision }) => corpusRevision)).toEqual(revisions);
    expect(changes.every(({ at }) => Math.abs(at - Date.now()) < 3_600_000)).toBe(true);
    expect(Object.keys(changes[0]!).sort()).toEqual(["at", "corpusRevision", "id", "kind", "sequence", "topic"]);
  });

  test("tells of other bytes at a path as of another document, and nothing of what is as before", async () => {
    await store().ingest({ path: "kiln.md", content: "# Kiln" }, { embed: "off" });
    const before = await store().documents.getDocumentByWorkspacePath("kiln.md");
    const since = await store().changeSequence();
    await store().ingest({ path: "kiln.md", content: "# Kiln" }, { embed: "off" });
    await store().documents.putDocument(before!);
    await store().documents.putChunks(before!.id, await store().documents.getChunksOf(before!.id));
    expect(ofDocuments(await takeAll(store(), since))).toEqual([]);
    await store().ingest({ path: "kiln.md", content: "# Another" }, { embed: "off" });
    const after = await store().documents.getDocumentByWorkspacePath("kiln.md");
    expect(after!.id).not.toBe(before!.id);
    expect(ofDocuments(await takeAll(store(), since))).toMatchObject([
      { kind: "deleted", id: before!.id },
      { kind: "inserted", id: after!.id },
    ]);
  });

  test("tells of passages that change alone as of their document, once", async () => {
    const content = Array.from({ length: 9 }, (_, n) => `# Part ${n}\n\n${"word ".repeat(90)}${n}`).join("\n\n");
    await store().ingest({ path: "long.md", content }, { embed: "off" });
    const document = await store().documents.getDocumentByWorkspacePath("long.md");
    const chunks = await store().documents.getChunksOf(document!.id);
    expect(chunks.length).toBeGreaterThan(3);
    const since = await store().changeSequence();
    for (const fewer of [chunks.slice(0, 3), [], chunks]) await store().documents.putChunks(document!.id, fewer);
    const revision = await store().documents.corpusRevision();
    expect(await takeAll(store(), since)).toMatchObject([
      { topic: "documents", kind: "updated", id: document!.id, corpusRevision: revision - 2 },
      { topic: "documents", kind: "updated", id: document!.id, corpusRevision: revision - 1 },
      { topic: "documents", kind: "updated", id: document!.id, corpusRevision: revision },
    ]);
  });

  test("tells of sessions and of turns with their place, and of a session that goes with its turns once", async () => {
    const { id } = await store().chat.createSession({ title: "Kilns" });
    const turns = [];
    for (const text of ["hello", "again"]) turns.push(await store().chat.appendTurn(id, { role: "user", text }));
    await store().chat.renameSession(id, "Glazes");
    await store().chat.deleteSession(id);
    const session = { topic: "chat", id, sessionId: id, corpusRevision: null };
    const changes = await takeAll(store());
    expect(changes).toMatchObject([
      { ...session, kind: "inserted" },
      { topic: "chat", kind: "inserted", id: turns[0]!.id, sessionId: id, turnIndex: 0 },
      { topic: "chat", kind: "inserted", id: turns[1]!.id, sessionId: id, turnIndex: 1 },
      { ...session, kind: "updated" },
      { ...session, kind: "deleted" },
    ]);
    expect(changes[0]).not.toHaveProperty("turnIndex");
  });

  test("tells nothing of a write that failed", async () => {
    await store().chat.createSession();
    const since = await store().changeSequence();
    await expect(store().chat.appendTurn("unknown", { role: "user", text: "x" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    const missing = { id: "0".repeat(32), assetId: "1".repeat(32), workspacePath: "a.md", parserVersion: "1" };
    await expect(
      store().documents.putDocument({ ...missing, title: "", mediaType: "text/plain" } as never),
    ).rejects.toBeInstanceOf(Error);
    expect(await store().changeSequence()).toBe(since);
  });
}
