import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { splitSqlScript } from "../../src/contracts/sql-text.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { ChunkLengths } from "../../src/store/search/chunk-lengths.ts";
import { decodeStructure } from "../../src/store/search/segments/structure.ts";
import { TextSegments } from "../../src/store/search/segments/text-segments.ts";
import { UnknownForm } from "../../src/store/search/segments/unknown-form.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";
import { mulberry32 } from "../bench/vectors/clustered.ts";

const ENGINES = { "node:sqlite": openSqlNode, "sqlite-wasm": openSqlMemory } as const;

/** Makes the index alone, as the migration makes it, with pages of so many bytes. */
async function openIndex(engine: keyof typeof ENGINES, pageBytes: number): Promise<SqlDatabase> {
  const options = { functions: storeFunctions };
  const db =
    engine === "node:sqlite" ? await openSqlNode({ ...options, path: ":memory:" }) : await openSqlMemory(options);
  const [table] = splitSqlScript(migrations.find(({ version }) => version === 2)!.sql);
  await db.run(table!);
  await db.run("CREATE VIRTUAL TABLE temp.occurrences USING fts5vocab(main, chunks_fts, instance)");
  await command(db, "pgsz", pageBytes);
  return db;
}

async function command(db: SqlDatabase, name: string, value: number): Promise<void> {
  await db.run("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ($1, $2)", [name, value]);
}

interface Row {
  key: number;
  heading: number;
  text: number;
  forms: number;
}

async function saidByFts(db: SqlDatabase, word: string, prefix: boolean): Promise<Row[]> {
  return db.all<Row>(
    `SELECT doc AS key, sum(col = 'heading') AS heading, sum(col = 'text') AS text, sum(col = 'forms') AS forms
     FROM temp.occurrences WHERE ${prefix ? "substr(term, 1, length($1)) = $1" : "term = $1"} GROUP BY doc ORDER BY doc`,
    [word],
  );
}

/** @param reader What the segments are read by, where that is not the database itself. */
async function saidBySegments(
  db: SqlDatabase,
  word: string,
  prefix: boolean,
  reader: Pick<SqlDatabase, "get" | "all"> = db,
  columns?: number,
): Promise<Row[] | undefined> {
  const lengths = new ChunkLengths();
  await lengths.extend(db);
  const found = await new TextSegments(reader, lengths).occurrences(word, prefix, columns);
  if (found === undefined) return undefined;
  return Array.from(found.places, (place, at) => ({
    key: lengths.keyAt(place),
    heading: found.heading[at]!,
    text: found.text[at]!,
    forms: found.forms[at]!,
  }));
}

/** Words that begin alike, share longer and shorter prefixs, and are of several bytes a letter. */
const WORDS = [
  ..."a ab abc abcd abcde abd b ba zebra zebras 数据 据库 été".split(" "),
  ...Array.from({ length: 60 }, (_, at) => `word${at.toString(36)}${"x".repeat(at % 7)}`),
];

interface Change {
  kind: "put" | "delete" | "replace" | "merge" | "automerge";
  at: number;
  words: number;
}

const changes = fc.array(
  fc.record({
    kind: fc.constantFrom<Change["kind"]>("put", "put", "put", "put", "delete", "replace", "merge", "automerge"),
    at: fc.nat(1000),
    words: fc.nat(60),
  }),
  { minLength: 1, maxLength: 60 },
);

/** Puts rows whose words are drawn so that some stand in nearly all and most in few. */
class IndexedRows {
  readonly #db: SqlDatabase;
  readonly #random: () => number;
  readonly #keys: number[] = [];
  #last = 0;

  constructor(db: SqlDatabase, seed: number) {
    this.#db = db;
    this.#random = mulberry32(seed);
  }

  async apply({ kind, at, words }: Change): Promise<void> {
    const key = this.#keys[at % Math.max(1, this.#keys.length)];
    if (kind === "put") await this.put(words, 1 + (at % 8));
    else if (kind === "merge") await command(this.#db, "merge", at % 2 === 0 ? -8 : 8);
    else if (kind === "automerge") await command(this.#db, "automerge", at % 5);
    else if (key !== undefined) {
      await this.#db.run("DELETE FROM chunks_fts WHERE rowid = $1", [key]);
      if (kind === "replace") await this.#insert([key], words);
      else this.#keys.splice(this.#keys.indexOf(key), 1);
    }
  }

  /** Puts so many rows in one transaction. */
  async put(words: number, rows = 1): Promise<void> {
    const keys = Array.from({ length: rows }, () => {
      // Keys with holes between them, and now and then a large one.
      this.#last += 1 + Math.floor(this.#random() ** 8 * 300_000);
      return this.#last;
    });
    this.#keys.push(...keys);
    await this.#insert(keys, words);
  }

  async #insert(keys: readonly number[], words: number): Promise<void> {
    const column = (count: number): string => Array.from({ length: count }, () => this.#word()).join(" ");
    await this.#db.runMany(
      "INSERT INTO chunks_fts (rowid, heading, text, forms) VALUES ($1, $2, $3, $4)",
      keys.map((key) => [key, column(words >> 3), column(words), column(words >> 1)]),
    );
  }

  #word(): string {
    return WORDS[Math.floor(this.#random() ** 3 * WORDS.length)]!;
  }
}

describe.each(Object.keys(ENGINES) as (keyof typeof ENGINES)[])("the segments of the text index, %s", (engine) => {
  test("say of every word and prefix what FTS5 says, whatever was written, deleted, replaced and merged", async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom(64, 128, 512, 4050), fc.nat(), async (list, pageBytes, seed) => {
        const db = await openIndex(engine, pageBytes);
        const rows = new IndexedRows(db, seed);
        for (const change of list) await rows.apply(change);
        for (const word of [...WORDS.slice(0, 24), "absent", "w", "word1", "z"]) {
          for (const prefix of [false, true]) {
            const said = await saidBySegments(db, word, prefix);
            expect({ word, prefix, said }).toEqual({ word, prefix, said: await saidByFts(db, word, prefix) });
          }
        }
        await db.close();
      }),
      { numRuns: 50 },
    );
  });

  test("say it of lists that go over many leaves", async () => {
    const db = await openIndex(engine, 64);
    const rows = new IndexedRows(db, 5);
    for (let batch = 0; batch < 40; batch++) await rows.put(40, 20);
    expect((await saidByFts(db, "a", false)).length).toBeGreaterThan(700);
    for (const word of ["a", "ab", "word"]) {
      for (const prefix of [false, true]) {
        expect(await saidBySegments(db, word, prefix)).toEqual(await saidByFts(db, word, prefix));
      }
    }
    await db.close();
  });

  test("count the first columns alone where no more are asked for", async () => {
    const db = await openIndex(engine, 64);
    const rows = new IndexedRows(db, 4);
    for (let batch = 0; batch < 10; batch++) await rows.put(20, 10);
    const all = await saidByFts(db, "a", true);
    const inHeadings = all.filter(({ heading }) => heading > 0).map((row) => ({ ...row, text: 0, forms: 0 }));
    const asWritten = all.filter(({ heading, text }) => heading + text > 0).map((row) => ({ ...row, forms: 0 }));
    expect(inHeadings.length).toBeLessThan(asWritten.length);
    expect(await saidBySegments(db, "a", true, db, 1)).toEqual(inHeadings);
    expect(await saidBySegments(db, "a", true, db, 2)).toEqual(asWritten);
    await db.close();
  });

  test.each([0, 1, 2])("are read anew where they are merged after the statement number %i", async (after) => {
    const db = await openIndex(engine, 64);
    await command(db, "automerge", 0);
    const rows = new IndexedRows(db, 9);
    for (let batch = 0; batch < 12; batch++) await rows.put(30, 10);
    for (let at = 0; at < 30; at++) await rows.apply({ kind: "delete", at: 4 * at, words: 0 });
    let statements = 0;
    const meanwhile = async (): Promise<void> => {
      if (statements++ === after) await command(db, "merge", -1000);
    };
    const reader: Pick<SqlDatabase, "get" | "all"> = {
      get: async (sql, params) => {
        await meanwhile();
        return db.get(sql, params);
      },
      all: async (sql, params) => {
        await meanwhile();
        return db.all(sql, params);
      },
    };
    expect(await saidBySegments(db, "a", true, reader)).toEqual(await saidByFts(db, "a", true));
    expect(statements).toBeGreaterThan(after + 1);
    await db.close();
  });

  test("are read once for words that are asked for at once", async () => {
    const db = await openIndex(engine, 128);
    const rows = new IndexedRows(db, 6);
    for (let batch = 0; batch < 6; batch++) await rows.put(30, 10);
    for (let at = 0; at < 20; at++) await rows.apply({ kind: "delete", at: 2 * at, words: 0 });
    let statements = 0;
    const reader: Pick<SqlDatabase, "get" | "all"> = {
      get: (sql, params) => {
        statements++;
        return db.get(sql, params);
      },
      all: (sql, params) => {
        statements++;
        return db.all(sql, params);
      },
    };
    const lengths = new ChunkLengths();
    await lengths.extend(db);
    const segments = new TextSegments(reader, lengths);
    const found = await Promise.all(WORDS.slice(0, 20).map((word) => segments.occurrences(word, false)));
    expect(found.every((each) => each !== undefined)).toBe(true);
    // The structure, the tombstones, and one for each word.
    expect(statements).toBe(2 + 20);
    await db.close();
  });

  test("tell a word that stands in no heading from one that is not filed", async () => {
    const db = await openIndex(engine, 128);
    await db.run("INSERT INTO chunks_fts (rowid, heading, text, forms) VALUES (7, 'kiln', 'glaze', '')");
    const lengths = new ChunkLengths();
    await lengths.extend(db);
    const segments = new TextSegments(db, lengths);
    const none = {
      places: Uint32Array.of(),
      heading: Uint32Array.of(),
      text: Uint32Array.of(),
      forms: Uint32Array.of(),
    };
    expect(await segments.occurrences("glaze", false, 1)).toEqual({ filed: true, ...none });
    expect(await segments.occurrences("quince", false, 1)).toEqual({ filed: false, ...none });
    await db.close();
  });

  test("are left to FTS5 where they change again and again", async () => {
    const db = await openIndex(engine, 64);
    const rows = new IndexedRows(db, 9);
    await rows.put(30, 50);
    const reader: Pick<SqlDatabase, "get" | "all"> = {
      get: (sql, params) => db.get(sql, params),
      all: async (sql, params) => {
        await rows.put(3);
        return db.all(sql, params);
      },
    };
    expect(await saidBySegments(db, "a", false, reader)).toBeUndefined();
    await db.close();
  });

  test("are left to FTS5, or read as they stand, where bytes of them are damaged, and nothing hangs or throws", async () => {
    const db = await openIndex(engine, 128);
    const rows = new IndexedRows(db, 3);
    for (let batch = 0; batch < 6; batch++) await rows.put(30, 8);
    for (let at = 0; at < 20; at++) await rows.apply({ kind: "delete", at: 7 * at, words: 0 });
    const blocks = await db.all<{ id: number | bigint; block: Uint8Array }>(
      "SELECT id, block FROM chunks_fts_data WHERE id > 1",
    );
    const lengths = new ChunkLengths();
    await lengths.extend(db);
    const random = mulberry32(77);
    const seen = { left: 0, read: 0 };
    for (let round = 0; round < 600; round++) {
      const { id, block } = blocks[Math.floor(random() * blocks.length)]!;
      const damaged = round % 5 === 0 ? block.slice(0, Math.floor(random() * block.length)) : block.slice();
      for (let flips = 1 + (round % 3); flips > 0; flips--)
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      await db.run("UPDATE chunks_fts_data SET block = $1 WHERE id = $2", [damaged, id]);
      for (const prefix of [false, true]) {
        const found = await new TextSegments(db, lengths).occurrences(["a", "ab", "word1"][round % 3]!, prefix);
        if (found === undefined) seen.left++;
        else {
          seen.read++;
          expect(
            found.places.every((place, at) => place < lengths.size && (at === 0 || place > found.places[at - 1]!)),
          ).toBe(true);
        }
      }
      await db.run("UPDATE chunks_fts_data SET block = $1 WHERE id = $2", [block, id]);
    }
    expect(seen.left).toBeGreaterThan(50);
    expect(seen.read).toBeGreaterThan(50);
    await db.close();
  });
});

test.each([
  ["nothing", []],
  ["an index that knows no deletions", [0, 0, 0, 0, 1, 1, 5, 0, 1, 1, 1, 9]],
  ["so many levels that they take days", [0, 0, 0, 0, 0xff, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 1]],
  [
    "so many segments that they take days",
    [0, 0, 0, 0, 0xff, 0, 0, 1, 1, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  ],
  ["a segment that ends in its midst", [0, 0, 0, 0, 0xff, 0, 0, 1, 1, 1, 7, 0, 1, 3, 1, 2, 1]],
  ["a segment without an id", [0, 0, 0, 0, 0xff, 0, 0, 1, 1, 1, 7, 0, 1, 0, 1, 2, 1, 1, 0, 0, 9]],
])("a structure record that says %s is of no known form", (_, bytes) => {
  expect(() => decodeStructure(Uint8Array.from(bytes))).toThrow(UnknownForm);
});
