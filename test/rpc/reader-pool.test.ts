import { describe, expect, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { connect } from "../../src/rpc/client.ts";
import { portEndpoint } from "../../src/rpc/endpoint.ts";
import type { LaneThread } from "../../src/rpc/lane.ts";
import { ReaderPool } from "../../src/rpc/reader-pool.ts";
import type { Remote } from "../../src/rpc/remote.ts";
import { serve } from "../../src/rpc/server.ts";
import type { StoreThread } from "../../src/rpc/store-thread.ts";

/** Something that answers as a thread does, here, and goes away when it is told to. */
class Stand {
  asked = 0;
  holding: (() => void)[] = [];
  thread!: LaneThread;
  #leave!: () => void;

  static async start(number: number, answer: (stand: Stand) => unknown): Promise<Stand> {
    const stand = new Stand();
    const { port1, port2 } = new MessageChannel();
    const stats = async (): Promise<unknown> => {
      stand.asked++;
      return answer(stand);
    };
    const served = serve(portEndpoint(port2), { store: { stats, close: async () => undefined }, number });
    stand.#leave = () => served.close();
    const connection = await connect<StoreThread>(portEndpoint(port1));
    stand.thread = { connection, ref: () => undefined, unref: () => undefined, ended: Promise.resolve() };
    return stand;
  }

  die(): void {
    this.#leave();
  }
}

const ask = (thread: Remote<StoreThread>): Promise<unknown> => thread.store.stats();

describe("a pool of readers", () => {
  test("asks the one with the least to do, and the keeper last among equals", async () => {
    const stands: Stand[] = [];
    const pool = await ReaderPool.start(3, async (number) => {
      const stand = await Stand.start(number, (one) => new Promise<void>((resolve) => one.holding.push(resolve)));
      stands[number] = stand;
      return stand.thread;
    });
    const asking: Promise<unknown>[] = [];
    const counts: number[][] = [];
    for (let n = 1; n <= 4; n++) {
      asking.push(pool.read(ask));
      await expect.poll(() => stands.reduce((sum, { asked }) => sum + asked, 0)).toBe(n);
      counts.push(stands.map(({ asked }) => asked));
    }
    expect(counts).toEqual([
      [0, 1, 0],
      [0, 1, 1],
      [1, 1, 1],
      [1, 2, 1],
    ]);
    for (const { holding } of stands) for (const answer of holding) answer();
    await Promise.all(asking);
    await pool.close();
  });

  test("tries a read once more that loses its thread, and not a third time", async () => {
    const started: Stand[] = [];
    let deaths = 1;
    const pool = await ReaderPool.start(1, async (number) => {
      const stand = await Stand.start(number, (one) => {
        if (deaths === 0) return "answered";
        deaths--;
        return one.die();
      });
      started.push(stand);
      return stand.thread;
    });
    expect(await pool.read(ask)).toBe("answered");
    expect(started).toHaveLength(2);
    deaths = 2;
    await expect(pool.read(ask)).rejects.toMatchObject({ code: "OWNER_LOST" });
    expect(await pool.read(ask)).toBe("answered");
    expect(started.map(({ asked }) => asked)).toEqual([1, 2, 1, 1]);
    await pool.close();
  });

  test("tells why no other can be started, and tries again at the next read", async () => {
    let starts = 0;
    const pool = await ReaderPool.start(1, async (number) => {
      starts++;
      if (starts === 2 || starts === 3) {
        throw new StorageError("CORRUPT", "it does not open", { capability: "sql", operation: "open" });
      }
      const dies = starts === 1;
      return (await Stand.start(number, (one) => (dies ? one.die() : "answered"))).thread;
    });
    await expect(pool.read(ask)).rejects.toMatchObject({ code: "CORRUPT" });
    await expect.poll(async () => pool.read(ask).catch(() => "not yet")).toBe("answered");
    await pool.close();
  });

  test("starts none any more once it is closed", async () => {
    let starts = 0;
    const pool = await ReaderPool.start(1, async (number) => {
      if (++starts > 1) throw new StorageError("DRIVER", "no more threads", { capability: "store", operation: "open" });
      return (await Stand.start(number, (one) => one.die())).thread;
    });
    await expect(pool.read(ask)).rejects.toMatchObject({ code: "DRIVER" });
    const before = starts;
    const closing = pool.close();
    await expect(pool.read(ask)).rejects.toMatchObject({ code: "CLOSED" });
    const streamed = pool.streamFromKeeper(() => [] as never);
    await expect(streamed.next()).rejects.toMatchObject({ code: "CLOSED" });
    await closing;
    expect(starts).toBe(before);
  });

  test("tells a stream that it ends by closing that it is closed, and not that it is lost", async () => {
    const pool = await ReaderPool.start(
      1,
      async (number) => (await Stand.start(number, () => new Promise(() => {}))).thread,
    );
    const streamed = pool.stream(async function* (thread) {
      yield await ask(thread);
    });
    const outcome = streamed.next().catch((error: unknown) => error);
    await pool.close();
    expect(await outcome).toMatchObject({ code: "CLOSED", capability: "store" });
  });

  test("does not start where one of them cannot be, and ends the others", async () => {
    const ended: number[] = [];
    const starting = ReaderPool.start(3, async (number) => {
      if (number === 1) throw new StorageError("DRIVER", "no more threads", { capability: "store", operation: "open" });
      const { thread } = await Stand.start(number, () => "answered");
      const connection = { ...thread.connection, terminate: () => void ended.push(number) };
      return { ...thread, connection };
    });
    await expect(starting).rejects.toMatchObject({ code: "DRIVER" });
    expect(ended.toSorted((a, b) => a - b)).toEqual([0, 2]);
  });
});
