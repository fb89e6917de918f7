import { expect, test, vi } from "vitest";
import { type Change, openStore } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

test("changes prints what the store remembers, those after a number, those of a topic, and follows", async () => {
  const folder = makeFolder({ "docs/kiln.md": "# Kiln\n\nCone 6." });
  const dir = `${folder}/.lodestore`;
  await using store = await openStore({ dir, vectors: "hnsw", embedOnOpen: false });
  await store.ingest({ path: "kiln.md", content: "# Kiln" });
  const { id } = await store.chat.createSession();
  const turn = await store.chat.appendTurn(id, { role: "user", text: "hello" });

  const all = await lodestoreJson<{ changes: Change[]; sequence: number }>(folder, "changes");
  expect(all.changes.map(({ topic, kind }) => `${topic} ${kind}`)).toEqual([
    "documents inserted",
    "jobs inserted",
    "chat inserted",
    "chat inserted",
  ]);
  expect(all.sequence).toBe(await store.changeSequence());
  const lines = await lodestore(folder, "changes", "--topic", "chat");
  expect(lines).toMatchObject({ code: 0, stderr: expect.stringContaining(`--since ${all.sequence}`) as string });
  expect(lines.stdout).toMatch(
    new RegExp(
      String.raw`^ +3  \S+Z  chat +inserted  ${id}\n +4  \S+Z  chat +inserted  ${turn.id}  turn 1 of ${id}\n$`,
    ),
  );
  expect(await lodestore(folder, "changes", "--since", String(all.sequence))).toMatchObject({ code: 0, stdout: "" });
  expect((await lodestore(folder, "changes", "--since", "99")).stdout).toMatch(/^ +4  \S+Z +reset\n$/);
  expect(await lodestore(folder, "changes", "--topic", "weather")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--topic got "weather"; it takes documents') as string,
  });

  const following = start(folder, ["changes", "--follow"]);
  await following.saysOnStderr("Following from 4.");
  const heard = new Promise((resolve) => following.child.stdout?.once("data", resolve));
  await store.documents.deleteDocument(all.changes[0]!.id!);
  await heard;
  following.child.kill("SIGINT");
  const { code, stdout } = await following.ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(new RegExp(String.raw`^ +5  \S+Z  documents +deleted +${all.changes[0]!.id}\n$`));
});
