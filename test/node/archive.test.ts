import { spawnSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openAsBlob,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHashingEmbedder, openStore, type Store } from "../../src/node.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lodestore-node-archive-"));
  onTestFinished(() => {
    chmodSync(made, 0o755);
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

const FILES = Array.from({ length: 200 }, (_, n) => ({
  path: `${n}.md`,
  content: `# Note ${n}\n\nKilns and glaze ${n}.`,
}));

async function filled(dir: string): Promise<Store> {
  const store = await openStore({ dir, embedder: createHashingEmbedder() });
  await store.ingest(FILES, { embed: "wait" });
  return store;
}

const images = (dir: string): string[] => readdirSync(dir).filter((name) => name.includes("image"));

describe("a store in threads", () => {
  test("is exported while it is written, and imported into another one that answers alike", async () => {
    const [from, to, file] = [folder(), folder(), join(folder(), "a.tar")];
    await using source = await filled(from);
    const query = { text: "glaze kilns", mode: "hybrid", k: 40 } as const;
    const before = (await source.search(query)).hits;
    await Promise.all([
      pipeline(source.export(), createWriteStream(file)),
      source.ingest({ path: "later.md", content: "# Later\n\nA glaze." }),
    ]);
    await using target = await openStore({ dir: to, embedder: createHashingEmbedder() });
    const report = await target.import(createReadStream(file));
    expect(report.documents).toBeGreaterThanOrEqual(FILES.length);
    expect(report).toMatchObject({ missing: 0 });
    if (report.documents === FILES.length) expect((await target.search(query)).hits).toEqual(before);
    expect(await target.check()).toMatchObject({ ok: true });
    await expect(target.import(createReadStream(file))).rejects.toMatchObject({ code: "CONFLICT" });
    expect([...images(from), ...images(to)]).toEqual([]);
  });

  test("ends its exports when it closes, and leaves nothing of loops that are left", async () => {
    const dir = folder();
    const store = await filled(dir);
    for await (const piece of store.export()) if (piece.byteLength > 0) break;
    await expect.poll(() => images(dir)).toEqual([]);
    const open = store.export();
    await open.next();
    await store.close();
    expect(images(dir)).toEqual([]);
    const rest = async (): Promise<void> => {
      for await (const piece of open) void piece;
    };
    await expect(rest()).rejects.toMatchObject({ name: "StorageError" });
    await expect(store.export().next()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("ends an export that waits for its next piece, and the process goes on until it is closed", () => {
    const node = new URL("../../src/node.ts", import.meta.url).href;
    const script = `const { openStore } = await import(${JSON.stringify(node)});
       const store = await openStore({ dir: ${JSON.stringify(folder())}, readers: 0 });
       const text = "kiln ".repeat(4000);
       await store.ingest(Array.from({ length: 200 }, (_, n) => ({ path: n + ".md", content: "# " + n + "\\n\\n" + text })));
       const piece = store.export().next().then(() => "a piece", (error) => error.code);
       await Promise.resolve();
       await store.close();
       console.log(await piece);`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    // A piece may have been on its way.
    const told = expect.stringMatching(/^(CLOSED|a piece)\n$/) as string;
    expect({ stdout, status }).toEqual({ stdout: told, status: 0 });
  });

  test("has nothing left of what a killed process was at, but for what a reader may be at", async () => {
    const dir = folder();
    await (await openStore({ dir })).close();
    const killed = join(dir, "killed.mjs");
    const node = new URL("../../src/node.ts", import.meta.url).href;
    writeFileSync(
      killed,
      `const { openStore } = await import(${JSON.stringify(node)});
       const store = await openStore({ dir: ${JSON.stringify(dir)}, readOnly: process.argv[2] === "read" });
       for await (const piece of store.export()) process.kill(process.pid, "SIGKILL");`,
    );
    for (const way of ["write", "read"]) spawnSync(process.execPath, [killed, way]);
    expect(images(dir).map((name) => name.includes("image-writer-"))).toHaveLength(2);
    await using again = await openStore({ dir });
    expect(images(dir).map((name) => name.includes("image-writer-"))).toEqual([false]);
    expect(await again.check()).toMatchObject({ ok: true });
  });

  test("is exported where it can only be read, and imports nothing there", async () => {
    const [dir, to, file] = [folder(), folder(), join(folder(), "a.tar")];
    await (await filled(dir)).close();
    await using reader = await openStore({ dir, readOnly: true });
    await pipeline(reader.export(), createWriteStream(file));
    await using target = await openStore({ dir: to });
    // A blob of a file cannot be cloned, as another one can.
    expect(await target.import(await openAsBlob(file))).toMatchObject({
      documents: FILES.length,
      embeddings: FILES.length,
    });
    await expect(reader.import(createReadStream(file))).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(images(dir)).toEqual([]);
  });
});
