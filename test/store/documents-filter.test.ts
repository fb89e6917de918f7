import { describe, expect, test } from "vitest";
import type { DocumentFilter } from "../../src/contracts/documents.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { compileDocumentFilter } from "../../src/store/document-filter.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

async function plan(db: SqlDatabase, filter: DocumentFilter): Promise<string> {
  const { sql, params } = compileDocumentFilter(filter, 1);
  const rows = await db.all<{ detail: string }>(
    `EXPLAIN QUERY PLAN SELECT d.document_key FROM documents d WHERE ${sql}`,
    params,
  );
  return rows.map((row) => row.detail).join("\n");
}

describe("compileDocumentFilter", () => {
  test("is 1 where there is no condition", () => {
    expect(compileDocumentFilter(undefined, 1)).toEqual({ sql: "1", params: [] });
    expect(compileDocumentFilter({}, 5)).toEqual({ sql: "1", params: [] });
  });

  test("numbers its parameters from the first one it may use", () => {
    const { sql, params } = compileDocumentFilter({ trustMin: 0.5, sourceType: "web", docId: ["b", "a", "b"] }, 7);
    expect(sql).toContain("json_each($7)");
    expect(sql).toContain("d.trust >= $8");
    expect(sql).toContain("d.source_type = $9");
    expect(params).toEqual(['["a","b"]', 0.5, "web"]);
  });

  test("uses one parameter and one SQL text for lists of any length", () => {
    const few = compileDocumentFilter({ tagsAny: ["a", "b"] }, 1);
    const many = compileDocumentFilter({ tagsAny: Array.from({ length: 1000 }, (_, n) => `tag ${n}`) }, 1);
    expect(many.sql).toBe(few.sql);
    expect(many.params).toHaveLength(1);
  });

  test("names the caller in what it throws", () => {
    const compile = () => compileDocumentFilter({ trustMin: 2 }, 1, { capability: "search", operation: "search" });
    expect(compile).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        capability: "search",
        operation: "search",
        message: "filter.trustMin got 2; it takes a number from 0 to 1",
      }),
    );
  });

  test.each(sqlDatabases)(
    "lets $driver search by the literal beginning of a glob, by tag and by id",
    async ({ open }) => {
      await using db = await open();
      expect(await plan(db, { pathGlob: "docs/**/*.md" })).toMatch(
        /SEARCH d USING .*INDEX .*\(workspace_path>\? AND workspace_path<\?\)/,
      );
      expect(await plan(db, { pathGlob: "docs/a.md" })).toMatch(/\(workspace_path=\?\)/);
      expect(await plan(db, { docId: ["a", "b"] })).toMatch(/\(document_id=\?\)/);
      expect(await plan(db, { tagsAny: ["a", "b"] })).toMatch(/idx_document_tags_tag \(tag=\?\)/);
    },
  );

  test.each(sqlDatabases)("takes as many globs as a list may hold on $driver", async ({ open }) => {
    await using db = await open();
    const { sql, params } = compileDocumentFilter({ pathGlob: Array.from({ length: 1000 }, (_, n) => `*${n}/**`) }, 1);
    await db.run(
      "INSERT INTO assets (asset_id, content_hash, byte_length, media_type, created_at) VALUES ('a', 'h', 0, 'text/plain', 0)",
    );
    await db.run(
      "INSERT INTO documents VALUES (1, 'd', 'a', 'x77/y', 'p', '', NULL, 'text/plain', 'file', 0, '{}', 0)",
    );
    expect(await db.all(`SELECT d.workspace_path AS path FROM documents d WHERE ${sql}`, params)).toEqual([
      { path: "x77/y" },
    ]);
  });
});
