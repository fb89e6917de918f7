import { cdp } from "vitest/browser";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { deleteOpfsStore, openSqlOpfs, opfsStoreBytes } from "../../src/drivers/sql-opfs.ts";
import { connect, type Connection } from "../../src/rpc/client.ts";
import { workerEndpoint } from "../../src/rpc/endpoint.ts";
import { fails } from "../conformance/sql/fails.ts";
import { testSqlDatabase } from "../conformance/sql-database.ts";
import type { OpfsHost } from "./sql-opfs-worker.ts";

let names = 0;
const freshName = (): string => `test-${Date.now()}-${names++}`;

function startHost(): Promise<Connection<OpfsHost>> {
  const worker = new Worker(new URL("./sql-opfs-worker.ts", import.meta.url), { type: "module" });
  return connect<OpfsHost>(workerEndpoint(worker));
}

let shared: Promise<Connection<OpfsHost>> | undefined;

afterAll(async () => (await shared)?.terminate());

testSqlDatabase("sql-opfs, in a worker", async () => {
  shared ??= startHost();
  const name = freshName();
  const db = await (await shared).proxy.open(name);
  const cleanup = async (): Promise<void> => {
    await db.close();
    await deleteOpfsStore(name);
  };
  return { db, cleanup };
});

describe("sql-opfs", () => {
  const hosts: Connection<OpfsHost>[] = [];
  const stores: string[] = [];

  const host = async (): Promise<Connection<OpfsHost>> => {
    const connection = await startHost();
    hosts.push(connection);
    return connection;
  };
  const store = (): string => {
    const name = freshName();
    stores.push(name);
    return name;
  };
  const count = (db: SqlDatabase): Promise<unknown> => db.get("SELECT count(*) AS n FROM t");

  afterEach(async () => {
    for (const connection of hosts.splice(0)) connection.terminate();
    // The handles of a terminated worker are given back a little later: opening waits for that.
    const { proxy, terminate } = await startHost();
    for (const name of stores.splice(0)) {
      await proxy.open(name).then(
        (db) => db.close(),
        () => undefined,
      );
      await deleteOpfsStore(name);
    }
    terminate();
  });

  it("keeps what was committed when it is opened again, by another worker or the same", async () => {
    const name = store();
    const one = await host();
    const first = await one.proxy.open(name);
    await first.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2)");
    await first.close();
    const second = await (await host()).proxy.open(name);
    expect(await count(second)).toEqual({ n: 2 });
    await second.close();
    const third = await one.proxy.open(name);
    expect(await count(third)).toEqual({ n: 2 });
    await third.close();
  });

  it("keeps what was committed and nothing else when its worker is killed", async () => {
    const name = store();
    const doomed = await host();
    // A small cache: the killed transaction has been written to the file in part.
    const db = await doomed.proxy.open(name, { cacheKib: 128 });
    await db.exec("CREATE TABLE t (v)");
    await db.runMany("INSERT INTO t VALUES ($1)", [["kept"], ["kept too"]]);
    const begun = new Promise<void>((resolve) => {
      db.transaction(async (tx) => {
        await tx.runMany(
          "INSERT INTO t VALUES ($1)",
          Array.from({ length: 200 }, () => ["x".repeat(5000)]),
        );
        resolve();
        await new Promise(() => undefined);
      }).catch(() => undefined);
    });
    await begun;
    doomed.terminate();
    const survivor = await (await host()).proxy.open(name);
    expect(await count(survivor)).toEqual({ n: 2 });
    expect(await survivor.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
    await survivor.close();
  });

  it("is CONFLICT while another worker has the store, and opens at once when that closes", async () => {
    const name = store();
    const db = await (await host()).proxy.open(name);
    await db.exec("CREATE TABLE t (v)");
    const other = await host();
    const error = await fails("CONFLICT", other.proxy.open(name));
    expect(error).toMatchObject({ capability: "sql", operation: "open", retryable: false });
    expect(error.message).toContain(name);
    expect(error.message).toContain("another tab");
    await db.run("INSERT INTO t VALUES (1)");
    await db.close();
    const taken = await other.proxy.open(name);
    expect(await count(taken)).toEqual({ n: 1 });
    await taken.close();
  });

  it("is CONFLICT for a second open in the same worker", async () => {
    const name = store();
    const { proxy } = await host();
    const db = await proxy.open(name);
    await fails("CONFLICT", proxy.open(name));
    expect(await db.get("SELECT 1 AS one")).toEqual({ one: 1 });
    await db.close();
  });

  it("waits for a worker that gives the store back soon, as after a reload", async () => {
    const name = store();
    const db = await (await host()).proxy.open(name);
    await db.exec("CREATE TABLE t (v)");
    const other = await host();
    const opening = other.proxy.open(name);
    await db.close();
    const taken = await opening;
    expect(await count(taken)).toEqual({ n: 0 });
    await taken.close();
  });

  it("gives a new store to one of several workers that want it, with all its data in one place", async () => {
    const name = store();
    const contenders = await Promise.all([host(), host(), host(), host()]);
    const opened = await Promise.allSettled(contenders.map(({ proxy }) => proxy.open(name)));
    const winners = opened.filter((outcome) => outcome.status === "fulfilled");
    expect(winners).toHaveLength(1);
    for (const outcome of opened) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "CONFLICT" });
    }
    await winners[0]?.value.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    await winners[0]?.value.close();
    for (const { proxy } of contenders) {
      const db = await proxy.open(name);
      expect(await count(db)).toEqual({ n: 1 });
      await db.close();
    }
  });

  it("keeps stores apart, also in one worker", async () => {
    const { proxy } = await host();
    const [one, two] = [await proxy.open(store()), await proxy.open(store())];
    await one.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    await two.exec("CREATE TABLE t (v)");
    expect(await count(two)).toEqual({ n: 0 });
    await one.close();
    expect(await count(two)).toEqual({ n: 0 });
    await two.close();
  });

  it("runs with durable settings by default, and with others where asked", async () => {
    const { proxy } = await host();
    const db = await proxy.open(store());
    await db.exec("CREATE TABLE t (v)");
    expect(await db.capabilities()).toMatchObject({
      driver: "sql-opfs",
      vfs: "opfs-sahpool",
      persistent: true,
      settings: { journal_mode: "wal", synchronous: 2, locking_mode: "exclusive" },
    });
    await db.close();
    const other = await proxy.open(store(), { journalMode: "truncate", pageSize: 4096, synchronous: "extra" });
    await other.exec("CREATE TABLE t (v)");
    const { settings } = await other.capabilities();
    expect(settings).toMatchObject({ journal_mode: "truncate", page_size: 4096, synchronous: 3 });
    await other.close();
  });

  it("deletes a store that nobody has open, and says how large one is", async () => {
    const name = store();
    expect(await opfsStoreBytes(name)).toBe(0);
    await deleteOpfsStore(name);
    const { proxy } = await host();
    const db = await proxy.open(name);
    await db.exec("CREATE TABLE t (v)");
    await db.run("INSERT INTO t VALUES ($1)", ["x".repeat(1_000_000)]);
    expect(await opfsStoreBytes(name)).toBeGreaterThan(1_000_000);
    await fails("CONFLICT", deleteOpfsStore(name));
    expect(await count(db)).toEqual({ n: 1 });
    await db.close();
    await deleteOpfsStore(name);
    expect(await opfsStoreBytes(name)).toBe(0);
    const empty = await proxy.open(name);
    expect(await empty.all("SELECT name FROM sqlite_schema")).toEqual([]);
    await empty.close();
  });

  it("is QUOTA_EXCEEDED when the origin's storage is full, and goes on when there is room again", async () => {
    const { proxy } = await host();
    const db = await proxy.open(store());
    await db.exec("CREATE TABLE t (v); INSERT INTO t VALUES ('kept')");
    const rows = Array.from({ length: 200 }, () => ["x".repeat(50_000)]);
    const quota = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
    await quota.send("Storage.overrideQuotaForOrigin", { origin: location.origin, quotaSize: 3_000_000 });
    try {
      await fails("QUOTA_EXCEEDED", db.runMany("INSERT INTO t VALUES ($1)", rows));
      expect(await count(db)).toEqual({ n: 1 });
    } finally {
      await quota.send("Storage.overrideQuotaForOrigin", { origin: location.origin });
    }
    await db.runMany("INSERT INTO t VALUES ($1)", rows);
    expect(await count(db)).toEqual({ n: 201 });
    expect(await db.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
    await db.close();
  });

  it("refuses names that are no names", async () => {
    const { proxy } = await host();
    for (const name of ["", ".", "..", "a/b", "a b", "ä", "x".repeat(65), undefined as unknown as string]) {
      await fails("INVALID_INPUT", proxy.open(name));
      await fails("INVALID_INPUT", deleteOpfsStore(name));
    }
  });

  it("is UNSUPPORTED outside a dedicated worker, and leaves nothing behind", async () => {
    const name = freshName();
    await fails("UNSUPPORTED", openSqlOpfs({ name, functions: {} }));
    const origin = await navigator.storage.getDirectory();
    const all = await origin.getDirectoryHandle(".lodestore", { create: true });
    await expect(all.getDirectoryHandle(name)).rejects.toMatchObject({ name: "NotFoundError" });
  });

  it("is CORRUPT for a file that is no database, and holds nothing open then", async () => {
    const name = store();
    const { proxy } = await host();
    const db = await proxy.open(name);
    await db.exec("CREATE TABLE t (v)");
    await db.close();
    await overwriteDatabase(name);
    await fails("CORRUPT", proxy.open(name));
    await fails("CORRUPT", (await host()).proxy.open(name));
    await deleteOpfsStore(name);
    const anew = await proxy.open(name);
    await anew.close();
  });
});

/** Writes nonsense over the start of the store's database, behind the pool's own header of 4096 bytes. */
async function overwriteDatabase(name: string): Promise<void> {
  let folder = await navigator.storage.getDirectory();
  for (const part of [".lodestore", name, "pool", ".opaque"]) folder = await folder.getDirectoryHandle(part);
  for await (const file of folder.values()) {
    if (file.kind !== "file") continue;
    const content = new Uint8Array(await (await file.getFile()).arrayBuffer());
    if (!new TextDecoder().decode(content.subarray(0, 20)).startsWith("/store.sqlite3\0")) continue;
    const writable = await file.createWritable({ keepExistingData: true });
    await writable.write({ type: "write", position: 4096, data: new Uint8Array(200).fill(0x21) });
    await writable.close();
  }
}
