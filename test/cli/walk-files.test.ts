import { mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileFileGlob } from "../../src/cli/file-glob.ts";
import { FileWalk, type WalkOptions } from "../../src/cli/walk-files.ts";
import { createWalkNotes } from "../../src/cli/walk-notes.ts";
import { makeFolder } from "./run-lodestore.ts";

function walkOf(folder: string, options: Partial<WalkOptions> = {}): FileWalk {
  return new FileWalk({
    roots: [{ absolute: realpathSync(folder), path: "", kind: "folder" }],
    include: [],
    exclude: [],
    hidden: false,
    prefix: "",
    store: "/nowhere",
    ...options,
  });
}

async function pathsOf(walk: FileWalk): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of walk.files()) paths.push(path);
  return paths;
}

describe("a walk", () => {
  test("yields files sorted by name in each folder, with paths relative to the folder", async () => {
    const folder = makeFolder({ "b.md": "", "a/z.md": "", "a/B/x.md": "", "a.md": "", "Z.md": "", "日/本.md": "" });
    const walk = walkOf(folder);
    expect(await pathsOf(walk)).toEqual(["Z.md", "a/B/x.md", "a/z.md", "a.md", "b.md", "日/本.md"]);
    expect(walk.notes).toEqual(createWalkNotes());
  });

  test("leaves out what is hidden, node_modules, endings without text and the store, and counts them", async () => {
    const folder = makeFolder({
      ".git/config": "",
      ".github/a.md": "",
      ".env": "",
      "node_modules/p/readme.md": "",
      "deep/node_modules/p/readme.md": "",
      "a.PNG": "",
      "b.png": "",
      "c.pdf": "",
      png: "",
      "data.unknown": "",
      "main.ts": "",
      "db/lodestore.db": "",
      "db/notes.md": "",
    });
    const walk = walkOf(folder, { store: join(realpathSync(folder), "db") });
    expect(await pathsOf(walk)).toEqual(["data.unknown", "main.ts", "png"]);
    expect(walk.notes).toEqual({
      ...createWalkNotes(),
      hiddenFolders: 2,
      hiddenFiles: 1,
      nodeModules: 2,
      binary: { png: 2, pdf: 1 },
      stores: 1,
    });
  });

  test("takes hidden files when asked, but never .git", async () => {
    const folder = makeFolder({ ".git/config": "", ".github/a.md": "", ".env": "" });
    expect(await pathsOf(walkOf(folder, { hidden: true }))).toEqual([".env", ".github/a.md"]);
  });

  test("takes what include names, without what exclude names, and walks no excluded folder", async () => {
    const folder = makeFolder({ "a.md": "", "a.txt": "", "old/b.md": "", "keep/c.md": "", "keep/old.md": "" });
    const walk = walkOf(folder, { include: [compileFileGlob("*.md")], exclude: [compileFileGlob("old*")] });
    expect(await pathsOf(walk)).toEqual(["a.md", "keep/c.md"]);
    expect(walk.notes).toEqual({ ...createWalkNotes(), excluded: 2, notIncluded: 1 });
  });

  test("follows a link to elsewhere once, and none that leads back", async () => {
    const outside = makeFolder({ "o.md": "", "sub/p.md": "" });
    symlinkSync(outside, join(outside, "sub", "up"));
    const folder = makeFolder({ "a/x.md": "" });
    symlinkSync(folder, join(folder, "a", "loop"));
    symlinkSync(join(folder, "a"), join(folder, "same"));
    symlinkSync(outside, join(folder, "first"));
    symlinkSync(outside, join(folder, "second"));
    symlinkSync(join(outside, "o.md"), join(folder, "file.md"));
    const walk = walkOf(folder);
    expect(await pathsOf(walk)).toEqual(["a/x.md", "file.md", "first/o.md", "first/sub/p.md"]);
    expect(walk.notes).toEqual({ ...createWalkNotes(), linkedAgain: 4 });
  });

  test("reports links that lead nowhere or to themselves, and goes on", async () => {
    const folder = makeFolder({ "z.md": "" });
    symlinkSync(join(folder, "gone"), join(folder, "broken.md"));
    symlinkSync(join(folder, "self.md"), join(folder, "self.md"));
    const walk = walkOf(folder);
    expect(await pathsOf(walk)).toEqual(["z.md"]);
    expect(walk.notes.problems.map(({ path, reason }) => `${path}: ${reason.split(",", 1)[0] ?? ""}`)).toEqual([
      "broken.md: link cannot be followed: ENOENT: no such file or directory",
      "self.md: link cannot be followed: ELOOP: too many symbolic links encountered",
    ]);
  });

  test("reads a folder only when its turn comes, and goes on when it cannot", async () => {
    const folder = makeFolder({ "a/1.md": "", "b/2.md": "", "c/3.md": "" });
    const walk = walkOf(folder);
    const files = walk.files();
    expect((await files.next()).value).toMatchObject({ path: "a/1.md" });
    rmSync(join(folder, "b"), { recursive: true });
    expect((await files.next()).value).toMatchObject({ path: "c/3.md" });
    expect((await files.next()).done).toBe(true);
    expect(walk.notes.problems).toMatchObject([{ path: "b", code: "DRIVER" }]);
    expect(walk.notes.problems[0]?.reason).toContain("folder cannot be read: ENOENT");
  });

  test("puts everything under the prefix, and reports a path that two folders give", async () => {
    const one = makeFolder({ "readme.md": "", "one.md": "" });
    const two = makeFolder({ "readme.md": "", "two.md": "" });
    const roots = [one, two].map((folder) => ({ absolute: realpathSync(folder), path: "", kind: "folder" as const }));
    const walk = walkOf(one, { roots, prefix: "docs/" });
    expect(await pathsOf(walk)).toEqual(["docs/one.md", "docs/readme.md", "docs/two.md"]);
    expect(walk.notes.problems).toMatchObject([{ path: "docs/readme.md", code: "CONFLICT" }]);
  });

  test("yields a file that was named itself, whatever it is", async () => {
    const folder = makeFolder({ ".hidden.png": "" });
    const root = { absolute: join(folder, ".hidden.png"), path: "img/.hidden.png", kind: "file" as const };
    expect(await pathsOf(walkOf(folder, { roots: [root] }))).toEqual(["img/.hidden.png"]);
  });

  test("ends when it is cancelled", async () => {
    const folder = makeFolder({ "a/1.md": "", "b/2.md": "" });
    mkdirSync(join(folder, "empty"));
    const controller = new AbortController();
    const files = walkOf(folder, { signal: controller.signal }).files();
    await files.next();
    controller.abort();
    await expect(files.next()).rejects.toThrow(/abort/i);
  });
});
