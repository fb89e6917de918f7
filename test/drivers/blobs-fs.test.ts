import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { blobKey, blobPath } from "../../src/drivers/blobs/blob-path.ts";
import { blobStoreConformance } from "../conformance/blob-store.ts";

blobStoreConformance("blobs-fs", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-blobs-"));
  return { blobs: await openFsBlobs({ dir }), close: () => rm(dir, { recursive: true, force: true }) };
});

describe("the name of a blob's file", () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,120}$/).filter((text) => text !== "." && text !== "..");
  const key = fc
    .array(segment, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/").slice(0, 512).replace(/\/$/u, ""));

  test("leads back to its key, and is no longer than file systems take", () => {
    fc.assert(
      fc.property(key, (text) => {
        const { folders, file } = blobPath(text);
        expect(blobKey(folders, file)).toBe(text);
        for (const name of [...folders, file]) expect(name.length).toBeLessThan(250);
      }),
    );
  });

  test("differs from every other key's also where case is ignored and last dots are dropped", () => {
    const place = (text: string): string => {
      const { folders, file } = blobPath(text);
      return [...folders, file].map((name) => name.toLowerCase().replace(/\.+$/u, "")).join("/");
    };
    fc.assert(fc.property(key, key, (a, b) => a === b || place(a) !== place(b)));
    expect(place("a")).not.toBe(place("A"));
    expect(place("a.")).not.toBe(place("a"));
  });

  test("is not a name that Windows keeps for itself", () => {
    expect(blobPath("con/nul.txt")).toEqual({ folders: ["+con"], file: "=nul.txt" });
  });
});

describe("blobs-fs", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "lodestore-blobs-"));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

  test("keeps a blob beside another whose key goes on from its own", async () => {
    const blobs = await openFsBlobs({ dir });
    await blobs.put("a", bytes(1));
    await blobs.put("a/b", bytes(2));
    expect(await blobs.get("a")).toEqual(bytes(1));
    expect(await blobs.list("")).toEqual(["a", "a/b"]);
  });

  test("lists only what it wrote", async () => {
    const blobs = await openFsBlobs({ dir });
    await blobs.put("mine", bytes(1));
    await writeFile(join(dir, "notes.txt"), "not mine");
    await writeFile(join(dir, "=Upper"), "not a name of mine");
    await writeFile(join(dir, ".put-here"), "being written");
    await symlink(join(dir, "notes.txt"), join(dir, "=link"));
    expect(await blobs.list("")).toEqual(["mine"]);
  });

  test("sweeps away what an old crash left half-written, and leaves what may be a running put", async () => {
    await writeFile(join(dir, ".put-old"), "half");
    await writeFile(join(dir, ".put-new"), "half");
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(dir, ".put-old"), longAgo, longAgo);
    await openFsBlobs({ dir });
    expect(await readdir(dir)).toEqual([".put-new"]);
  });

  test("names a folder that is a file", async () => {
    await writeFile(join(dir, "file"), "");
    await expect(openFsBlobs({ dir: join(dir, "file") })).rejects.toMatchObject({
      code: "DRIVER",
      capability: "blobs",
    });
  });

  test.skipIf(process.getuid?.() === 0)("fails with DRIVER in a folder that may not be written", async () => {
    const blobs = await openFsBlobs({ dir });
    await blobs.put("a", bytes(1));
    await chmod(dir, 0o500);
    await expect(blobs.put("b", bytes(2))).rejects.toMatchObject({ code: "DRIVER" });
    expect(await blobs.get("a")).toEqual(bytes(1));
    await chmod(dir, 0o700);
  });

  test("leaves the old blob when a put fails, and nothing half-written", async () => {
    const blobs = await openFsBlobs({ dir });
    await blobs.put("a/b", bytes(1));
    await mkdir(join(dir, "=c"));
    await expect(blobs.put("c", bytes(2))).rejects.toMatchObject({ code: "DRIVER" });
    expect((await readdir(dir)).toSorted()).toEqual(["+a", "=c"]);
    expect(await blobs.get("a/b")).toEqual(bytes(1));
  });

  test("holds a whole blob, old or new, whenever its process is killed", async () => {
    const size = 400_000;
    const program = `
      import { openFsBlobs } from ${JSON.stringify(new URL("../../src/drivers/blobs-fs.ts", import.meta.url).href)};
      const blobs = await openFsBlobs({ dir: ${JSON.stringify(dir)} });
      for (let n = 0; ; n = (n + 1) % 256) { await blobs.put("x", new Uint8Array(${size}).fill(n)); if (n === 2) console.log("go"); }`;
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [first] = (await once(child.stdout, "data")) as [Buffer];
      expect(first.toString()).toContain("go");
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 23));
      child.kill("SIGKILL");
      await once(child, "exit");
      const blob = await (await openFsBlobs({ dir })).get("x");
      expect(blob.length).toBe(size);
      expect(blob.every((value) => value === blob[0])).toBe(true);
    }
    const files = await readdir(dir);
    expect(files.filter((name) => name.startsWith("="))).toEqual(["=x"]);
    expect((await readFile(join(dir, "=x"))).length).toBe(size);
  }, 60_000);
});
