import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { openTestStore } from "../support/open-test-store.ts";

function databaseFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-chat-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "lodestore.db");
}

const TEXTS = ["Cone 6 melts at 1222 degrees.", "データベースは速い", "Glazes are melting, slowly."];

/** Two sessions that say the same. */
async function talk(store: Store): Promise<void> {
  for (const title of ["a", "b"]) {
    const { id } = await store.chat.createSession({ title });
    for (const text of TEXTS) await store.chat.appendTurn(id, { role: "user", text });
  }
}

/** What is found of each word, best first. */
async function answers(store: Store): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const text of ["melting", "データベース", "1222 slowly"]) {
    const { hits } = await store.chat.searchTurns({ text });
    found.push(hits.map(({ sessionTitle, index, snippet }) => [sessionTitle, index, snippet.text]));
  }
  return found;
}

async function bad(store: Store): Promise<string[]> {
  return (await store.check()).findings.filter(({ ok }) => !ok).map(({ name }) => name);
}

const GHOST = `DELETE FROM chat_turns_fts WHERE rowid = 2;
  INSERT INTO chat_turns_fts (rowid, text, forms) VALUES (9999, 'melting', 'melt')`;

test("a turn whose session cannot be touched is not appended", async () => {
  const { store, db } = await openTestStore();
  const { id } = await store.chat.createSession();
  await db.exec("CREATE TRIGGER untouched BEFORE UPDATE ON chat_sessions BEGIN SELECT RAISE(ABORT, 'no'); END");
  await expect(store.chat.appendTurn(id, { role: "user", text: "hello" })).rejects.toMatchObject({ code: "CONFLICT" });
  expect(await store.chat.listTurns(id)).toEqual({ items: [] });
  expect((await store.chat.searchTurns({ text: "hello" })).hits).toEqual([]);
  await store.close();
});

describe("the text index over turns", () => {
  test.each([
    ["is gone", "DROP TABLE chat_turns_fts", "chat_turns_fts was missing"],
    ["has lost its triggers", "DROP TRIGGER chat_turns_au", "chat_turns_au was missing"],
    ["is of another version", "UPDATE kv SET value = 'old' WHERE key = 'chat_terms_version'", "terms version old"],
    ["misses turns", "DELETE FROM chat_turns_fts WHERE rowid < 3", "held 4 of 6 turns"],
  ])("that %s is made anew when the store opens, and reported", async (_, damage, reason) => {
    const path = databaseFile();
    const first = await openTestStore(path);
    await talk(first.store);
    const sound = await answers(first.store);
    expect(sound).toHaveLength(3);
    await first.db.exec(damage);
    await first.store.close();
    await using db = await openSqlNode({ path, functions: storeFunctions, readOnly: true });
    const reading = createStore({ db, blobs: new SqlBlobStore(db), readOnly: true });
    await expect(reading).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining(reason) as string,
    });
    const { store } = await openTestStore(path);
    const { rebuilt } = await store.openReport();
    expect(rebuilt).toEqual([expect.stringContaining(`chat index: `)]);
    expect(rebuilt[0]).toContain(reason);
    expect(await answers(store)).toEqual(sound);
    const [session] = (await store.chat.listSessions()).items;
    await store.chat.appendTurn(session?.id ?? "", { role: "tool", text: "bisque" });
    expect((await store.chat.searchTurns({ text: "bisque" })).hits).toHaveLength(1);
    expect(await bad(store)).toEqual([]);
    await store.close();
  });

  test.each([
    ["rows of it that were exchanged", GHOST, "chat index in step with turns"],
    ["lists of it that are gone", "DELETE FROM chat_turns_fts_data WHERE id > 10", "chat index structure"],
  ])("%s: found, left by a dry run, repaired, and found no more", async (_, damage, name) => {
    const { store, db } = await openTestStore();
    await talk(store);
    const sound = await answers(store);
    await db.exec(damage);
    expect(await bad(store)).toEqual([name]);
    expect((await store.repair({ dryRun: true })).steps).toMatchObject([{ name, outcome: "planned" }]);
    expect(await bad(store)).toEqual([name]);
    const report = await store.repair();
    expect(report.check.ok).toBe(true);
    expect(report.steps).toContainEqual(expect.objectContaining({ name, outcome: "repaired" }));
    expect(await answers(store)).toEqual(sound);
    await store.close();
  });

  test("a turn that is lost is found by a check, and no repair makes another of it", async () => {
    const { store, db } = await openTestStore();
    await talk(store);
    await db.run("DELETE FROM chat_turns WHERE turn_key = 2");
    expect(await bad(store)).toEqual(["whole chat sessions"]);
    const report = await store.repair();
    expect(report.steps).toMatchObject([{ name: "whole chat sessions", outcome: "left" }]);
    expect(await db.get("SELECT count(*) AS n FROM chat_turns")).toEqual({ n: 5 });
    await store.close();
  });

  test("does not keep what a deleted session said", async () => {
    const { store, db } = await openTestStore();
    await talk(store);
    for (const { id } of (await store.chat.listSessions()).items) await store.chat.deleteSession(id);
    expect(await db.get("SELECT count(*) AS n FROM chat_turns_fts_docsize")).toEqual({ n: 0 });
    expect(await db.get("SELECT count(*) AS n FROM chat_turns")).toEqual({ n: 0 });
    expect(await bad(store)).toEqual([]);
    await store.close();
  });
});

test("a store of an earlier release keeps its conversations, and they are found", async () => {
  const path = databaseFile();
  {
    await using db = await openSqlNode({ path, functions: storeFunctions });
    await migrate(db, migrations.slice(0, 7));
    await db.run("INSERT INTO kv (key, value) VALUES ('terms_version', '1')");
    await db.runMany("INSERT INTO chat_sessions (session_id, title, created_at, updated_at) VALUES ($1, $2, $3, $4)", [
      ["x", "middle", 1, 5],
      ["y", null, 2, 9],
      ["z", "oldest", 3, 4],
      ["w", "as old as middle", 4, 5],
    ]);
    await db.runMany(
      "INSERT INTO chat_turns (turn_id, session_id, turn_index, role, content, created_at) VALUES ($1, $2, $3, 'user', $4, $5)",
      [
        ["t2", "x", 1, "京都のタワー", 3],
        ["t1", "x", 0, "kilns", 2],
        ["t3", "y", 0, "glaze", 4],
      ],
    );
  }
  const { store } = await openTestStore(path);
  expect(await store.openReport()).toMatchObject({
    migrations: migrations.slice(7).map(({ name }) => name),
    rebuilt: [],
  });
  const { items } = await store.chat.listSessions();
  expect(items.map(({ id, turnCount }) => [id, turnCount])).toEqual([
    ["y", 1],
    ["x", 2],
    ["w", 0],
    ["z", 0],
  ]);
  expect((await store.chat.listTurns("x")).items).toMatchObject([
    { id: "t1", index: 0, text: "kilns", model: null, metadata: {}, createdAt: 2 },
    { id: "t2", index: 1 },
  ]);
  expect((await store.chat.searchTurns({ text: "タワー" })).hits).toMatchObject([{ turnId: "t2" }]);
  expect((await store.chat.searchTurns({ text: "kiln" })).hits).toMatchObject([{ turnId: "t1" }]);
  expect(await store.chat.appendTurn("x", { role: "user", text: "more" })).toMatchObject({ index: 2 });
  expect((await store.chat.listSessions()).items[0]?.id).toBe("x");
  expect(await bad(store)).toEqual([]);
  await store.close();
});

test("conversations are carried by an archive, in their order, and found in the store that took it in", async () => {
  const source = await openTestStore();
  await talk(source.store);
  // What is deleted stays in the averages of the index: scores are those of this very store.
  const { id: gone } = await source.store.chat.createSession();
  await source.store.chat.appendTurn(gone, { role: "tool", text: "melting ".repeat(300) });
  await source.store.chat.deleteSession(gone);
  const { items } = await source.store.chat.listSessions();
  await source.store.chat.appendTurn(items[1]?.id ?? "", { role: "assistant", text: "last", model: "m" });
  const target = await openTestStore();
  await target.store.import(inPieces(await archiveOf(source.store)));
  expect(await answers(target.store)).toEqual(await answers(source.store));
  const query = { text: "melting slowly" };
  expect(await target.store.chat.searchTurns(query)).toEqual(await source.store.chat.searchTurns(query));
  expect(await target.store.chat.listSessions()).toEqual(await source.store.chat.listSessions());
  for (const { id } of items) {
    expect(await target.store.chat.exportSession(id, "json")).toBe(await source.store.chat.exportSession(id, "json"));
  }
  expect(await bad(target.store)).toEqual([]);
  await source.store.close();
  await target.store.close();
});
