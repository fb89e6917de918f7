import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { connect } from "../../src/rpc/client.ts";
import { portEndpoint } from "../../src/rpc/endpoint.ts";
import { PROTOCOL_VERSION } from "../../src/rpc/protocol-version.ts";
import { type Served, serve, type ServedRoot, type ServeOptions } from "../../src/rpc/server.ts";
import { Probe } from "./probe.ts";

const NOTHING = { calls: 0, running: 0, exported: 0, imported: 0 };

function channel(): { near: MessagePort; far: MessagePort; end: () => void } {
  const { port1, port2 } = new MessageChannel();
  return { near: port1, far: port2, end: () => port1.close() };
}

function open(root: ServedRoot, options?: ServeOptions): { near: MessagePort; served: Served } {
  const { near, far } = channel();
  return { near, served: serve(portEndpoint(far), root, options) };
}

function probe(): Probe {
  return new Probe(() => NOTHING);
}

async function storageError(promise: Promise<unknown>): Promise<StorageError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
}

describe("connecting", () => {
  test("params reach the root function", async () => {
    const { near } = open((params) => ({ greet: () => `hello ${(params as { name: string }).name}` }));
    const connection = await connect<{ greet(): string }>(portEndpoint(near), { params: { name: "lode" } });
    expect(await connection.proxy.greet()).toBe("hello lode");
    connection.terminate();
  });

  test("params that cannot be cloned are INVALID_INPUT", async () => {
    const { near } = open(probe());
    const failed = connect(portEndpoint(near), { params: { f: () => 1 } });
    expect((await storageError(failed)).code).toBe("INVALID_INPUT");
    near.close();
  });

  test("a root that cannot be had rejects connect with its error, and connecting again tries again", async () => {
    let tries = 0;
    const { near } = open(async () => {
      if (tries++ > 0) return probe();
      const at = { capability: "store", operation: "open", cause: new TypeError("locked") } as const;
      throw new StorageError("CONFLICT", "open in another tab", at);
    });
    const error = await storageError(connect(portEndpoint(near)));
    expect(error).toMatchObject({ code: "CONFLICT", capability: "store", message: "open in another tab" });
    expect(error.cause).toBeInstanceOf(TypeError);
    const connection = await connect<Probe>(portEndpoint(near));
    expect(await connection.proxy.nested.add(1, 1)).toBe(2);
    expect(tries).toBe(2);
    connection.terminate();
  });

  test("the root function runs once for a client that was there before the server", async () => {
    const { near, far } = channel();
    const connecting = connect<Probe>(portEndpoint(near));
    const root = vi.fn<() => Probe>(probe);
    await new Promise((resolve) => setTimeout(resolve));
    serve(portEndpoint(far), root);
    const connection = await connecting;
    expect(await connection.proxy.nested.add(1, 1)).toBe(2);
    expect(root).toHaveBeenCalledTimes(1);
    connection.terminate();
  });

  test("a client of another version is refused with BAD_FORMAT", async () => {
    const { near } = open(probe());
    const answer = new Promise<unknown>((resolve) => {
      near.addEventListener("message", (event: MessageEvent<{ lode: string }>) => {
        if (event.data.lode === "refuse") resolve(event.data);
      });
    });
    near.start();
    near.postMessage({ lode: "hello", version: PROTOCOL_VERSION + 1, session: 1, lock: null });
    expect(await answer).toMatchObject({ session: 1, error: { type: "storage", code: "BAD_FORMAT" } });
    near.close();
  });

  test("a server of another version rejects connect with BAD_FORMAT", async () => {
    const { near, far } = channel();
    far.addEventListener("message", (event: MessageEvent<{ session: number }>) => {
      const { session } = event.data;
      far.postMessage({ lode: "opening", version: PROTOCOL_VERSION + 1, session, lock: null });
      far.postMessage({ lode: "welcome", version: PROTOCOL_VERSION + 1, session });
    });
    far.start();
    expect((await storageError(connect(portEndpoint(near)))).code).toBe("BAD_FORMAT");
    near.close();
  });

  test("connecting can be aborted, before and while it goes on", async () => {
    const { near, far } = channel();
    const early = connect(portEndpoint(near), { signal: AbortSignal.abort("no") });
    expect(await storageError(early)).toMatchObject({ code: "ABORTED", cause: "no" });
    const stop = new AbortController();
    const late = connect(portEndpoint(near), { signal: stop.signal });
    setTimeout(() => stop.abort());
    expect((await storageError(late)).code).toBe("ABORTED");
    far.close();
  });

  test("a root that opens after its client left is handed back", async () => {
    let openRoot!: (root: object) => void;
    const root = new Promise<object>((resolve) => (openRoot = resolve));
    let handedBack!: (root: object) => void;
    const back = new Promise<object>((resolve) => (handedBack = resolve));
    const stop = new AbortController();
    const makeRoot = (): Promise<object> => {
      setTimeout(() => stop.abort());
      return root;
    };
    const { near } = open(makeRoot, { onDisconnect: handedBack });
    const connecting = connect(portEndpoint(near), { signal: stop.signal });
    await storageError(connecting);
    const opened = probe();
    openRoot(opened);
    expect(await back).toBe(opened);
    near.close();
  });
});

describe("losing a connection", () => {
  test("the server closing while it makes the root is OWNER_LOST", async () => {
    const { near, served } = open(() => {
      setTimeout(() => served.close());
      return new Promise<object>(() => {});
    });
    expect((await storageError(connect(portEndpoint(near)))).code).toBe("OWNER_LOST");
    near.close();
  });

  test("another client at the same end is OWNER_LOST for the one that still waits", async () => {
    let made = 0;
    let begun!: () => void;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const { near } = open(() => {
      if (made++ > 0) return probe();
      begun();
      return new Promise<object>(() => {});
    });
    const first = storageError(connect(portEndpoint(near)));
    await beginning;
    const second = await connect<Probe>(portEndpoint(near));
    expect((await first).code).toBe("OWNER_LOST");
    expect(await second.proxy.nested.add(1, 1)).toBe(2);
    second.terminate();
  });

  test("the server closing is OWNER_LOST for all that is pending", async () => {
    const { near, served } = open(probe());
    const connection = await connect<Probe>(portEndpoint(near));
    const pending = connection.proxy.never();
    served.close();
    expect((await storageError(pending)).code).toBe("OWNER_LOST");
    expect((await connection.lost).code).toBe("OWNER_LOST");
    expect((await storageError(connection.proxy.echo(1))).code).toBe("OWNER_LOST");
    near.close();
  });

  test("a closed port is noticed on both sides", async () => {
    for (const side of ["near", "far"] as const) {
      const ports = channel();
      let left!: (reason: StorageError) => void;
      const reason = new Promise<StorageError>((resolve) => (left = resolve));
      serve(portEndpoint(ports.far), probe(), { onDisconnect: (_root, why) => left(why) });
      const connection = await connect<Probe>(portEndpoint(ports.near));
      const pending = connection.proxy.never();
      ports[side].close();
      expect((await storageError(pending)).code).toBe("OWNER_LOST");
      expect((await reason).code).toBe("OWNER_LOST");
    }
  });

  test("a client that leaves aborts signals, ends sources and fails callbacks on the server", async () => {
    const seen: string[] = [];
    let all!: () => void;
    const done = new Promise<void>((resolve) => (all = resolve));
    const note = (what: string) => (error: unknown) => {
      seen.push(`${what} ${(error as StorageError).code}`);
      if (seen.length === 3) all();
    };
    const root = {
      async work(signal: AbortSignal, ask: () => Promise<void>, source: AsyncIterable<number>) {
        signal.addEventListener("abort", () => note("signal")(signal.reason));
        ask().catch(note("callback"));
        const read = async (): Promise<void> => {
          for await (const _ of source);
        };
        read().catch(note("source"));
        await new Promise(() => {});
      },
    };
    const { near, served } = open(root);
    const connection = await connect<typeof root>(portEndpoint(near));
    let closed = false;
    let begun!: () => void;
    const reading = new Promise<void>((resolve) => (begun = resolve));
    async function* endless(): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) {
          yield i;
          begun();
          if (i > 10) await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        closed = true;
      }
    }
    let asked!: () => void;
    const asking = new Promise<void>((resolve) => (asked = resolve));
    const ask = (): Promise<void> => {
      asked();
      return new Promise(() => {});
    };
    const work = connection.proxy.work(new AbortController().signal, ask, endless());
    await Promise.all([asking, reading]);
    connection.close();
    expect((await storageError(work)).code).toBe("OWNER_LOST");
    await done;
    expect(seen.toSorted()).toEqual(["callback OWNER_LOST", "signal OWNER_LOST", "source OWNER_LOST"]);
    await vi.waitFor(() => expect(closed).toBe(true));
    expect(connection.live()).toMatchObject({ exported: 0, imported: 0, calls: 0 });
    expect(served.live()).toMatchObject({ exported: 0, imported: 0, calls: 0 });
    near.close();
  });

  test("an endpoint can be connected anew after close", async () => {
    const { near } = open(() => probe());
    for (let i = 0; i < 3; i++) {
      const connection = await connect<Probe>(portEndpoint(near));
      expect(await connection.proxy.nested.add(i, 1)).toBe(i + 1);
      connection.close();
    }
    near.close();
  });
});

describe("messages that are none", () => {
  const GARBAGE: unknown[] = [
    null,
    1,
    "text",
    [],
    {},
    { lode: "unheard of" },
    { lode: "call" },
    { lode: "call", id: "1", target: 0, method: "echo", args: [] },
    { lode: "result", id: 999, value: 1 },
    { lode: "failure", id: 999, error: {} },
    { lode: "batch", id: 999, items: [], end: true },
    { lode: "batch", id: 999, items: [1], holes: [{ at: [0], reference: { kind: "stream", id: 1 } }], end: true },
    { lode: "stopped", id: 999 },
    { lode: "stop", id: 999 },
    { lode: "pull", id: 999, count: 1 },
    { lode: "release", id: 0 },
    { lode: "abort", id: 999, reason: {} },
    { lode: "result", id: 999, holes: [7] },
    { lode: "welcome", version: 1 },
    { lode: "opening", version: 1 },
  ];

  test("are ignored on both sides", async () => {
    const { near, far } = channel();
    serve(portEndpoint(far), probe());
    const connection = await connect<Probe>(portEndpoint(near));
    for (const message of GARBAGE) {
      near.postMessage(message);
      far.postMessage(message);
    }
    expect(await connection.proxy.nested.add(1, 2)).toBe(3);
    connection.terminate();
  });

  test("damaged calls are answered with a failure, damaged answers reject the call", async () => {
    const { near, far } = channel();
    serve(portEndpoint(far), probe());
    const connection = await connect<Probe>(portEndpoint(near));
    const failures: unknown[] = [];
    near.addEventListener("message", (event: MessageEvent<{ lode: string }>) => {
      if (event.data.lode === "failure") failures.push(event.data);
    });
    const call = { lode: "call", target: 0, method: "echo", args: [1] };
    near.postMessage({ ...call, id: 501, holes: [{ at: [5, 6], reference: { kind: "object", id: 1 } }] });
    near.postMessage({ ...call, id: 502, target: 77 });
    near.postMessage({ ...call, id: 503, method: "__proto__.toString" });
    near.postMessage({ ...call, id: 504, method: "" });
    const hanging = connection.proxy.never();
    // Ids of calls count from 1.
    far.postMessage({ lode: "result", id: 1, value: 1, holes: [{ at: ["x"] }] });
    expect((await storageError(hanging)).code).toBe("BAD_FORMAT");
    expect(await connection.proxy.nested.add(1, 2)).toBe(3);
    expect(failures.map((f) => (f as { id: number }).id)).toEqual([501, 502, 503, 504]);
    connection.terminate();
  });
});

describe("what is dropped", () => {
  test("is released on the other side once it is collected", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { near, served } = open(probe());
    const connection = await connect<Probe>(portEndpoint(near));
    // In a function of its own, whose frame keeps nothing alive.
    const useAndDrop = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const counter = await connection.proxy.counter(i);
        await counter.increment();
        await Promise.resolve(connection.proxy.rows(10));
      }
    };
    await useAndDrop();
    expect(served.live().exported).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        collect();
        await connection.proxy.echo(1);
        expect(served.live()).toEqual(NOTHING);
        expect(connection.live()).toEqual(NOTHING);
      },
      { timeout: 4000, interval: 10 },
    );
    connection.terminate();
  });
});

describe("a relay", () => {
  test("serves the proxy of another connection, callbacks and streams included", async () => {
    const inner = open(probe());
    const first = await connect<Probe>(portEndpoint(inner.near));
    const outer = open(first.proxy);
    const { proxy, terminate } = await connect<Probe>(portEndpoint(outer.near));
    expect(await proxy.nested.add(1, 2)).toBe(3);
    expect(await proxy.ask(async (n) => n * 2, 4)).toBe(9);
    let rows = 0;
    for await (const _ of proxy.rows(100)) rows++;
    expect(rows).toBe(100);
    await proxy.transaction(async (tx) => tx.run("a", 1));
    expect(await proxy.valueOf_("a")).toBe(1);
    terminate();
    first.terminate();
  });
});
