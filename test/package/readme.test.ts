import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readmeExample } from "../support/readme-example.ts";
import { runCommand } from "./run-command.ts";

const root = resolve(import.meta.dirname, "../..");

describe("the README", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lodestore-readme-"));
    mkdirSync(join(folder, "docs/guides"), { recursive: true });
    const page = "# Kiln\n\nGetting started: cone 6 melts\nat 1222 degrees.\n";
    writeFileSync(join(folder, "docs/guides/kiln.md"), `---\nlang: en\n---\n\n${page}\nFire slowly.\n`);
    const suite = { name: "kilns", queries: [{ id: "1", text: "cone melts", expected: ["guides/kiln.md"] }] };
    writeFileSync(join(folder, "kilns.json"), JSON.stringify(suite));
    copyFileSync(join(root, "test/fixtures/lhv1/v1-sq8-cosine.lhv1"), join(folder, "index.lhv1"));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("has a Node example that runs as it is written", async () => {
    const example = readmeExample("On Node").replace("./my-store", join(folder, "my-store"));
    // Evaluated in the package's folder, `lodestore/node` is the built package itself.
    const printed = await runCommand(process.execPath, ["--input-type=module", "--eval", example], root);
    expect(printed.trim()).toBe("notes/日本.md");
  });

  test("has an example of a conversation about that store, which runs as it is written", async () => {
    const example = readmeExample("Chat").replace("./my-store", join(folder, "my-store"));
    const printed = await runCommand(process.execPath, ["--input-type=module", "--eval", example], root);
    expect(printed.trim()).toBe("東京タワーは高い。");
  });

  test("has an example of answers, their measure and the change feed, which runs as it is written", async () => {
    const example = readmeExample("Answers, measured and followed").replace("./my-store", join(folder, "my-store"));
    const printed = await runCommand(process.execPath, ["--input-type=module", "--eval", example], root);
    expect(printed.trim().split("\n")).toEqual(["grounded 1", "inserted", "completed"]);
  });

  test("has an example that moves that store, which runs as it is written", async () => {
    const example = readmeExample("Move a store")
      .replaceAll("./my-", join(folder, "my-"))
      .replaceAll("notes.tar", join(folder, "moved.tar"));
    const printed = await runCommand(process.execPath, ["--input-type=module", "--eval", example], root);
    expect(printed.trim()).toBe("1 1");
  });

  test("has command lines that run as they are written", async () => {
    const lodestore = join(root, "dist/cli/lodestore.js");
    const lines = readmeExample("On the command line").trim().split("\n");
    const outputs: string[] = [];
    for (const line of lines) {
      const words = (line.split(" #")[0] ?? "").match(/"[^"]*"|\S+/gu) ?? [];
      expect(words.slice(0, 2)).toEqual(["npx", "lodestore"]);
      const args = words.slice(2).map((word) => word.replaceAll('"', ""));
      outputs.push(await runCommand(process.execPath, [lodestore, ...args], folder));
    }
    const said = (command: string): string => outputs[lines.findIndex((line) => line.includes(command))] ?? "";
    expect(lines.length).toBe(18);
    expect(said('search "getting started"')).toContain("guides/kiln.md");
    expect(said("--mode hybrid")).toContain("guides/kiln.md");
    expect(said("list")).toContain("guides/kiln.md");
    expect(said("jobs list")).toContain("ingest");
    expect(said("changes")).toContain("inserted");
    expect(said("eval run")).toContain("1.000");
    expect(said("show")).toContain("cone 6 melts");
    expect(said("stats")).toContain("hashing");
    expect(said("reindex")).toContain("indexed anew");
    expect(said("doctor --fix")).toContain("All is well.");
    expect(said("lhv1 inspect")).toContain("cosine");
    expect(said("import notes.tar")).toContain("1 document");
  });
});
