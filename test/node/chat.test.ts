import { expect, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { openNodeStore, storeFolder } from "../support/open-node-store.ts";

test("50 turns that are appended at once to a store in threads are numbered without gaps, and seen by every reader", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, readers: 2 });
  const { id } = await store.chat.createSession({ title: "Kilns" });
  const appended = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const turn = await store.chat.appendTurn(id, { role: "user", text: `turn ${n}` });
      // Whichever reader answers: what was appended is there.
      expect((await store.chat.getSession(id))?.turnCount).toBeGreaterThan(turn.index);
      return turn;
    }),
  );
  expect(appended.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect((await store.chat.listTurns(id)).items).toEqual(appended);
  await store.close();
  await expect(store.chat.listSessions()).rejects.toMatchObject({ code: "CLOSED" });
});

test("a store that is only read shows its conversations, beside one that goes on, and takes none", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir });
  const { id } = await store.chat.createSession();
  await store.chat.appendTurn(id, { role: "user", text: "celadon" });
  await using reading = await openStore({ dir, readOnly: true, vectors: "hnsw" });
  expect((await reading.chat.searchTurns({ text: "celadon" })).hits).toHaveLength(1);
  await store.chat.appendTurn(id, { role: "assistant", text: "a glaze" });
  expect((await reading.chat.listTurns(id)).items.map(({ text }) => text)).toEqual(["celadon", "a glaze"]);
  const refused = { code: "UNSUPPORTED", capability: "chat" };
  await expect(reading.chat.createSession()).rejects.toMatchObject(refused);
  await expect(reading.chat.appendTurn(id, { role: "user", text: "x" })).rejects.toMatchObject(refused);
  await expect(reading.chat.renameSession(id, "x")).rejects.toMatchObject(refused);
  await expect(reading.chat.deleteSession(id)).rejects.toMatchObject(refused);
  expect((await store.chat.getSession(id))?.turnCount).toBe(2);
});
