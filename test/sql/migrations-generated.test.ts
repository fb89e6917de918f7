import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { generateMigrations } from "../../scripts/generate-migrations.mjs";
import { migrations } from "../../src/sql/migrations.generated.ts";

const generated = new URL("../../src/sql/migrations.generated.ts", import.meta.url);

function withFiles(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return generateMigrations(pathToFileURL(`${folder}/`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("migrations.generated.ts", () => {
  it("is what the generator makes of migrations/ now (npm run generate:migrations)", () => {
    expect(readFileSync(generated, "utf8")).toBe(generateMigrations());
  });

  it("holds the text of every file, to the letter", () => {
    for (const { name, sql } of migrations) {
      expect(sql).toBe(readFileSync(new URL(`../../migrations/${name}.sql`, import.meta.url), "utf8"));
    }
  });
});

describe("generate-migrations", () => {
  it("keeps backslashes, backticks and placeholders", () => {
    const text = withFiles({ "V001__odd.sql": "SELECT '\\n `x` ${y}';\n" });
    expect(text).toContain("sql: `SELECT '\\\\n \\`x\\` \\${y}';\n`");
    expect(text).toContain('name: "V001__odd"');
  });

  it("refuses names out of pattern, gaps, carriage returns and other encodings", () => {
    expect(() => withFiles({ "1_init.sql": "SELECT 1" })).toThrow("V001__name.sql");
    expect(() => withFiles({ "V001__a.sql": "", "V003__b.sql": "" })).toThrow("number 2");
    expect(() => withFiles({ "V001__a.sql": "SELECT 1;\r\n" })).toThrow("checksum");
    expect(() => withFiles({ "V001__a.sql": Uint8Array.of(0xff) })).toThrow("UTF-8");
  });
});
