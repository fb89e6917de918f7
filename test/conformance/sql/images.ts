import { expect } from "vitest";
import type { SqlDatabase, SqlImage } from "../../../src/contracts/sql.ts";
import type { SqlTest } from "../sql-database.ts";
import { collect } from "./collect.ts";
import { fails } from "./fails.ts";
import { gate } from "./gate.ts";

const ROWS = 3000;

async function fill(db: SqlDatabase): Promise<void> {
  await db.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, v TEXT NOT NULL); CREATE INDEX t_v ON t (v)");
  await db.runMany(
    "INSERT INTO t (n, v) VALUES ($1, $2)",
    Array.from({ length: ROWS }, (_, n) => [n, `${n} ${"glaze ".repeat(40)}`]),
  );
}

/** The rows of an image, which must be sound. */
async function rowsIn(image: SqlImage): Promise<number> {
  const copy = await image.open();
  try {
    expect(await copy.all("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    return (await copy.get<{ n: number }>("SELECT count(*) AS n FROM t"))?.n ?? -1;
  } finally {
    await copy.close();
  }
}

async function bytesOf(image: SqlImage): Promise<Uint8Array> {
  const pieces = await collect(image.read());
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    expect(piece.byteLength).toBeLessThanOrEqual(256 * 1024);
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}

async function* inPieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
}

export function imageTests(test: SqlTest): void {
  test("an image is a database file of its own, which needs no WAL beside it", async (db) => {
    await fill(db);
    const image = await db.image();
    const bytes = await bytesOf(image);
    expect(bytes.byteLength).toBe(await image.sizeBytes());
    expect(new TextDecoder().decode(bytes.subarray(0, 15))).toBe("SQLite format 3");
    expect([...bytes.subarray(18, 20)]).toEqual([1, 1]);
    expect(await rowsIn(image)).toBe(ROWS);
    await image.close();
  });

  test("bytes that came from an image make one again", async (db) => {
    await fill(db);
    const image = await db.image();
    const bytes = await bytesOf(image);
    await image.close();
    const again = await db.imageFrom(inPieces(bytes));
    expect(await again.sizeBytes()).toBe(bytes.byteLength);
    expect(await rowsIn(again)).toBe(ROWS);
    await again.close();
  });

  test("an image holds what was committed when it was asked for, whatever is written later", async (db) => {
    await fill(db);
    const { opened, open } = gate();
    const undone = db.transaction(async (tx) => {
      await tx.run("INSERT INTO t (n, v) VALUES (-1, 'never')");
      await opened;
      throw new RangeError("undone");
    });
    const asked = db.image();
    open();
    await expect(undone).rejects.toThrow("undone");
    const image = await asked;
    const reading = image.read();
    const first = (await reading.next()).value as Uint8Array;
    await db.run("DELETE FROM t");
    await db.run("INSERT INTO t (n, v) VALUES (-2, 'later')");
    const rest = await collect(reading);
    expect([first, ...rest].reduce((sum, piece) => sum + piece.byteLength, 0)).toBe(await image.sizeBytes());
    const copy = await image.open();
    expect(await copy.get("SELECT count(*) AS n, min(n) AS least FROM t")).toEqual({ n: ROWS, least: 0 });
    await copy.close();
    await image.close();
  });

  test("what is written to an opened image is in its bytes, and not in the database", async (db) => {
    await fill(db);
    const image = await db.image();
    const copy = await image.open();
    await copy.run("INSERT INTO t (n, v) VALUES (-5, 'added')");
    await copy.close();
    const bytes = await bytesOf(image);
    await image.close();
    const again = await db.imageFrom(inPieces(bytes));
    expect(await rowsIn(again)).toBe(ROWS + 1);
    await again.close();
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: ROWS });
  });

  test("the tables of an attached image can be copied in a transaction", async (db) => {
    await fill(db);
    const image = await db.image();
    await db.run("DELETE FROM t");
    await image.attach();
    await db.transaction(async (tx) => {
      await tx.run("INSERT INTO main.t SELECT * FROM image.t WHERE n < $1", [10]);
    });
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 10 });
    await image.detach();
    await fails("DRIVER", db.all("SELECT n FROM image.t LIMIT 1"));
    await image.attach();
    expect(await db.get("SELECT count(*) AS n FROM image.t")).toEqual({ n: ROWS });
    await image.close();
    await fails("DRIVER", db.all("SELECT n FROM image.t LIMIT 2"));
  });

  test("one thing is done with an image at a time", async (db) => {
    await fill(db);
    const image = await db.image();
    const copy = await image.open();
    await fails("CONFLICT", image.open());
    await fails("CONFLICT", image.attach());
    await fails("CONFLICT", image.read().next());
    await copy.close();
    const reading = image.read();
    await reading.next();
    await fails("CONFLICT", image.open());
    await reading.return?.();
    await image.attach();
    await fails("CONFLICT", image.open());
    await image.close();
    await image.close();
    await fails("CLOSED", image.open());
    await fails("CLOSED", image.sizeBytes());
  });

  test("bytes that are no database are CORRUPT when they come or when they are read, and harm nothing", async (db) => {
    await fill(db);
    const garbage = new Uint8Array(8192).fill(0x61);
    const use = async (): Promise<void> => {
      const image = await db.imageFrom(inPieces(garbage));
      try {
        await image.attach();
      } finally {
        await image.close();
      }
    };
    await fails("CORRUPT", use());
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: ROWS });
  });

  test("what the bytes of an image throw is what it rejects with", async (db) => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode("SQLite format 3\u0000".padEnd(4096, "\u0000"));
      throw new RangeError("the line was cut");
    }
    await expect(db.imageFrom(broken())).rejects.toThrow("the line was cut");
    await fill(db);
    const image = await db.image();
    expect(await rowsIn(image)).toBe(ROWS);
    await image.close();
  });

  test("an aborted copy leaves nothing", async (db) => {
    await fill(db);
    await fails("ABORTED", db.image({ signal: AbortSignal.abort() }));
    const image = await db.image();
    await image.close();
  });

  test("closing the database closes its images", async (db) => {
    await fill(db);
    const read = await db.image();
    const attached = await db.image();
    const opened = await db.image();
    await read.read().next();
    await attached.attach();
    await opened.open();
    await db.close();
    for (const image of [read, attached, opened]) await fails("CLOSED", image.open());
    await fails("CLOSED", db.image());
  });
}
