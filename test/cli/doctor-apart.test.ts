import { chmodSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { type CheckFinding, openStore } from "../../src/node.ts";
import { lodestore, makeStore, manyNotes, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const NOTES = manyNotes(12);

/** A store whose snapshot is damaged. */
async function damagedStore(): Promise<{ folder: string; dir: string }> {
  const folder = await makeStore(NOTES);
  await lodestore(folder, "reindex", "-q");
  const dir = join(folder, ".lodestore");
  const snapshot = readdirSync(dir, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(".lhv1")) ?? "";
  truncateSync(join(dir, snapshot), 5000);
  return { folder, dir };
}

describe("lodestore doctor beside a program that has the store open for writing", () => {
  test("looks all the same, and mends only when that has closed it", async () => {
    const { folder, dir } = await damagedStore();
    const store = await openStore({ dir, embedOnOpen: false });
    const looked = await lodestore(folder, "doctor", "--json");
    expect(looked.code).toBe(1);
    const { findings } = JSON.parse(looked.stdout) as { findings: CheckFinding[] };
    expect(findings.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      "vector index chunk_embeddings_hashing_384 version 1",
    ]);
    const refused = await lodestore(folder, "doctor", "--fix");
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/^lodestore doctor: .* \[CONFLICT\]\nAnother process has the store\./);
    const json = await lodestore(folder, "doctor", "--fix", "--json");
    expect([json.code, JSON.parse(json.stdout)]).toEqual([
      3,
      expect.objectContaining({ ok: false, openReport: null, stats: null }) as object,
    ]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "CONFLICT" } });
    expect(await lodestore(folder, "reindex")).toMatchObject({ code: 3, stdout: "" });
    expect((await lodestore(folder, "stats")).stdout).toContain("not usable: ");
    await store.close();
    expect(await lodestore(folder, "doctor", "--fix")).toMatchObject({ code: 0 });
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 0 });
  });
});

/** Of a user who may do nothing: what is forbidden is not forbidden to root. */
const GUEST = process.getuid?.() === 0 ? { uid: 65_534 } : {};

describe.skipIf(process.platform === "win32")("lodestore doctor in a folder that cannot be written", () => {
  test("looks, and says that it cannot mend", async () => {
    const { folder, dir } = await damagedStore();
    chmodSync(folder, 0o755);
    chmodSync(dir, 0o555);
    try {
      expect(await start(folder, ["doctor"], GUEST).ended).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("PROBLEM  vector index"),
      });
      const fixed = await start(folder, ["doctor", "--fix"], GUEST).ended;
      expect(fixed.code).toBe(3);
      expect(fixed.stderr).toMatch(/^lodestore doctor: .* \[\w+\]\n/);
    } finally {
      chmodSync(dir, 0o755);
    }
  });
});

describe("lodestore doctor --fix of damaged Lance tables", () => {
  test("names the commands that bring the vectors back, and they do", async () => {
    const folder = await makeStore(NOTES);
    const onLance = (...args: string[]): ReturnType<typeof lodestore> =>
      lodestore(folder, ...args, "--vectors", "lance");
    expect(await onLance("embed")).toMatchObject({ code: 0 });
    const vectors = join(folder, ".lodestore", "vectors");
    const files = readdirSync(vectors, { recursive: true, encoding: "utf8" }).filter((path) =>
      /^chunk_embeddings.*data.*\.lance$/u.test(path),
    );
    expect(files).not.toEqual([]);
    for (const path of files) truncateSync(join(vectors, path), 50);
    const looked = await onLance("doctor");
    expect(looked).toMatchObject({ code: 1, stdout: expect.stringContaining("lodestore doctor --fix") as string });
    const refused = await onLance("export", "store.tar");
    expect(refused).toMatchObject({ stderr: expect.stringContaining("lodestore doctor --fix") as string });
    const fixed = await onLance("doctor", "--fix");
    expect(fixed).toMatchObject({ code: 0, stdout: expect.stringContaining("lodestore embed makes anew") as string });
    expect(fixed.stdout).toContain("moved aside");
    expect(await onLance("embed")).toMatchObject({ code: 0 });
    expect(await onLance("doctor")).toMatchObject({ code: 0 });
    expect(await onLance("search", "kilns", "--mode", "vector", "-k", "1")).toMatchObject({ code: 0 });
    expect(await onLance("export", "store.tar")).toMatchObject({ code: 0 });
  });
});

describe("--vectors", () => {
  test("opens the store with that engine, and refuses one that this version has not", async () => {
    const folder = await makeStore(NOTES);
    const flat = await lodestore(folder, "stats", "--vectors", "flat");
    expect(flat).toMatchObject({ code: 0, stdout: expect.stringContaining("\nVectors: vectors-flat\n") });
    expect((await lodestore(folder, "stats", "--vectors", "hnsw")).stdout).toContain("\nVectors: vectors-hnsw\n");
    const search = await lodestore(folder, "search", "kilns", "--vectors", "flat", "--mode", "vector", "-k", "1");
    expect(search).toMatchObject({ code: 0 });
  });
});
