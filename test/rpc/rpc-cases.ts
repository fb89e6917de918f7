import { describe, expect, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import type { Connection } from "../../src/rpc/client.ts";
import { transfer } from "../../src/rpc/transfer.ts";
import { nested } from "../support/nested.ts";
import type { Probe, ProbeTransaction, TakenItem } from "./probe.ts";

/** Opens a fresh probe on the other side of a boundary; the test gets the connection and closes it. */
export type OpenProbe = () => Promise<{ connection: Connection<Probe>; dispose: () => void }>;

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

async function storageError(promise: Promise<unknown>): Promise<StorageError> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
}

const NOTHING = { calls: 0, running: 0, exported: 0, imported: 0 };

/** What every boundary must do, over whatever the two sides are joined by. */
export function describeRpc(name: string, openProbe: OpenProbe): void {
  const probeTest = (
    title: string,
    body: (connection: Connection<Probe>) => Promise<void>,
    { leavesNothing = true } = {},
  ): void =>
    test(title, async () => {
      const { connection, dispose } = await openProbe();
      try {
        await body(connection);
        if (leavesNothing) {
          expect(await connection.proxy.live()).toEqual({ ...NOTHING, running: 1 });
          expect(connection.live()).toEqual(NOTHING);
        }
      } finally {
        dispose();
      }
    });

  describe(`${name}: values`, () => {
    probeTest("arguments and results are copied", async ({ proxy }) => {
      const value = { a: [1, "two", null, undefined, true, 4n], d: new Date(5), m: new Map([[1, 2]]) };
      const echoed = await proxy.echo(value);
      expect(echoed).toEqual(value);
      expect(echoed).not.toBe(value);
    });

    probeTest("nested objects are called by path", async ({ proxy }) => {
      expect(await proxy.nested.add(2, 3)).toBe(5);
      expect(proxy.nested).toBe(proxy.nested);
    });

    probeTest("a method can be bound, and called with a this that does not matter", async ({ proxy }) => {
      const { add } = proxy.nested;
      expect(await add(1, 1)).toBe(2);
      expect(await add.call(null, 1, 2)).toBe(3);
      expect(await add.bind(null, 1)(3)).toBe(4);
    });

    probeTest("a method that is not asynchronous answers with a promise", async ({ proxy }) => {
      expect(await proxy.length(new Uint8Array(3))).toBe(3);
    });

    probeTest("asyncDispose is called on the other side", async ({ proxy }) => {
      await proxy[Symbol.asyncDispose]();
      expect(await proxy.releasedStreams()).toBe(1000);
    });

    probeTest("circular and shared values keep their shape, with a function in them too", async ({ proxy }) => {
      const node: { self?: unknown; f?: () => number; twins?: unknown[] } = {};
      node.self = node;
      const plain = await proxy.echo(node);
      expect(plain.self).toBe(plain);
      const twin = { n: 1 };
      const taken = await proxy.echo({ ...node, self: null, twins: [twin, twin] });
      expect((taken.twins as unknown[])[0]).toBe((taken.twins as unknown[])[1]);
    });

    probeTest("a Blob arrives as a Blob", async ({ proxy }) => {
      const echoed = await proxy.echo({ content: new Blob(["lode"]) });
      expect(await echoed.content.text()).toBe("lode");
    });

    probeTest("instances of classes without methods are copied as data", async ({ proxy }) => {
      class Point {
        x = 1;
      }
      expect(await proxy.echo(new Point())).toEqual({ x: 1 });
    });

    probeTest("a thousand calls at once get their own answers", async ({ proxy }) => {
      const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => proxy.nested.add(i, 1)));
      expect(answers).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    });

    probeTest(
      "calls of one caller arrive in order",
      async ({ proxy }) => {
        const remote = await proxy.counter(0);
        expect(await Promise.all([1, 2, 3].map(() => remote.increment()))).toEqual([1, 2, 3]);
      },
      { leavesNothing: false },
    );
  });

  describe(`${name}: errors`, () => {
    probeTest("a StorageError keeps code, place, stack and its chain of causes", async ({ proxy }) => {
      const error = await storageError(proxy.failStorage());
      expect(error).toMatchObject({
        name: "StorageError",
        code: "POOL",
        message: "no connection",
        capability: "documents",
        operation: "putDocument",
        retryable: true,
      });
      expect(error.stack).toContain("failStorage");
      const driver = error.cause as StorageError;
      expect(driver).toBeInstanceOf(StorageError);
      expect(driver).toMatchObject({ code: "DRIVER", retryable: false, operation: "run" });
      const engine = driver.cause as Error;
      expect(engine.message).toBe("disk I/O error");
      expect(engine.cause).toBeInstanceOf(TypeError);
    });

    probeTest("built-in errors keep their class, thrown values their value", async ({ proxy }) => {
      expect(await rejection(proxy.failRange())).toBeInstanceOf(RangeError);
      expect(await rejection(proxy.failText())).toBe("a text");
      const dom = (await rejection(proxy.failDom())) as DOMException;
      expect(dom).toBeInstanceOf(DOMException);
      expect(dom.name).toBe("QuotaExceededError");
    });

    probeTest("a cause that cannot be cloned becomes text", async ({ proxy }) => {
      expect(((await rejection(proxy.failWithHandleCause())) as Error).cause).toBe("[object Object]");
    });

    probeTest("a chain of causes is cut at a bound", async ({ proxy }) => {
      let depth = 0;
      let error: unknown = await rejection(proxy.failDeep(50));
      for (; error instanceof Error; error = error.cause) depth++;
      expect(depth).toBe(9);
      expect(error).toBe("Error: level 40");
    });

    probeTest("errors inside data arrive as what they are", async ({ proxy }) => {
      const at = { capability: "sql", operation: "run" } as const;
      const { failures } = await proxy.echo({ failures: [new StorageError("CONFLICT", "twice", at)] });
      expect(failures[0]).toBeInstanceOf(StorageError);
      expect(failures[0]).toMatchObject({ code: "CONFLICT", operation: "run" });
    });

    probeTest("an unknown method is UNSUPPORTED, and names of Object are no methods", async ({ proxy }) => {
      const loose = proxy as unknown as Record<string, (() => Promise<unknown>) | undefined>;
      for (const name of ["missing", "label", "nested"]) {
        const error = await storageError(loose[name]!());
        expect(error.code).toBe("UNSUPPORTED");
        expect(error.message).toContain(name);
      }
      const deep = proxy as unknown as { nested: { missing: { more: () => Promise<unknown> } } };
      expect((await storageError(deep.nested.missing.more())).code).toBe("UNSUPPORTED");
      for (const name of ["then", "constructor"]) expect(loose[name]).toBeUndefined();
      expect(await Promise.resolve(proxy)).toBe(proxy);
      expect(Function.prototype.toString.call(proxy)).toContain("function");
    });

    probeTest("an argument that cannot be cloned is INVALID_INPUT and named", async ({ proxy }) => {
      const error = await storageError(proxy.nested.add(1, { deep: [new WeakMap()] } as unknown as number));
      expect(error.code).toBe("INVALID_INPUT");
      expect(error.message).toContain("nested.add: argument 2.deep[0] cannot be sent");
    });

    probeTest("what has too many levels is refused before it is sent, and named", async ({ proxy, live }) => {
      const deep = nested(20_000);
      for (const value of [deep, { f: () => 1, deep }, [[deep]]]) {
        const error = await storageError(proxy.nested.add(1, value as unknown as number));
        expect(error.code).toBe("INVALID_INPUT");
        expect(error.message).toContain("nested.add: argument 2 cannot be sent: it has more than 1000 levels");
      }
      expect(live()).toEqual(NOTHING);
      expect(await proxy.echo(nested(1000))).toBeTypeOf("object");
    });

    probeTest("a failed send leaves no reference behind", async ({ proxy, live }) => {
      const args = { f: () => 1, bad: Promise.resolve() };
      expect((await storageError(proxy.echo(args))).code).toBe("INVALID_INPUT");
      expect(live()).toEqual(NOTHING);
    });

    probeTest("a result that cannot be cloned is SERIALIZATION and named", async ({ proxy }) => {
      const error = await storageError(proxy.uncloneable());
      expect(error.code).toBe("SERIALIZATION");
      expect(error.message).toContain("the result.inner.weak");
    });
  });

  describe(`${name}: cancellation`, () => {
    probeTest("an abort in the middle of a call reaches it with its reason", async ({ proxy }) => {
      const stop = new AbortController();
      const call = proxy.untilAborted({
        signal: stop.signal,
        started: () => stop.abort(new RangeError("enough")),
      });
      const error = await storageError(call);
      expect(error.code).toBe("ABORTED");
      expect(error.capability).toBe("ingest");
      expect(error.cause).toBeInstanceOf(RangeError);
    });

    probeTest("a call that is aborted before it begins is not sent", async ({ proxy, live }) => {
      const call = proxy.untilAborted({ signal: AbortSignal.abort("never mind") });
      expect(live().calls).toBe(0);
      const error = await storageError(call);
      expect(error.code).toBe("ABORTED");
      expect(error.cause).toBe("never mind");
    });
  });

  describe(`${name}: callbacks`, () => {
    probeTest("progress arrives in order and before the result", async ({ proxy }) => {
      const seen: number[] = [];
      await proxy.progress(20, { onProgress: (done) => seen.push(done) });
      expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    probeTest("a callback's answer and its error reach the caller on the other side", async ({ proxy }) => {
      expect(await proxy.ask(async (n) => n * 10, 4)).toBe(41);
      const thrown = new StorageError("CONFLICT", "no", { capability: "jobs", operation: "ask" });
      const error = await storageError(proxy.ask(async () => Promise.reject(thrown), 4));
      expect(error).toMatchObject({ code: "CONFLICT", capability: "jobs" });
    });

    probeTest("a callback that fails unheard harms nothing", async ({ proxy }) => {
      const listener = async (): Promise<void> => Promise.reject(new Error("unheard"));
      expect(await proxy.tell(listener)).toBe("told");
    });

    probeTest(
      "a callback that never answers is given up with its call",
      async ({ proxy, live }) => {
        expect(await proxy.tell(() => new Promise(() => {}))).toBe("told");
        expect((await proxy.live()).calls).toBe(0);
        expect(live().running).toBe(1);
      },
      { leavesNothing: false },
    );

    probeTest(
      "functions of an object literal keep it as this",
      async ({ proxy }) => {
        const literal = await proxy.plainFunctions();
        expect(literal.base).toBe(2);
        expect(await Promise.resolve(literal.double(21))).toBe(42);
      },
      { leavesNothing: false },
    );
  });

  describe(`${name}: streams as arguments`, () => {
    async function* count(to: number, state = { made: 0, closed: 0 }): AsyncGenerator<number> {
      try {
        for (let i = 0; i < to; i++) {
          state.made++;
          yield i;
        }
      } finally {
        state.closed++;
      }
    }

    probeTest("an async generator is read to its end", async ({ proxy }) => {
      expect(await proxy.collect(count(1000))).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    });

    probeTest("an empty source, a sync generator and a set's iterator are streams", async ({ proxy }) => {
      expect(await proxy.collect(count(0))).toEqual([]);
      function* words(): Generator<string> {
        yield "a";
        yield "b";
      }
      expect(await proxy.collect(words() as unknown as AsyncIterable<string>)).toEqual(["a", "b"]);
      const values = new Set([1, 2]).values() as unknown as AsyncIterable<number>;
      expect(await proxy.collect(values)).toEqual([1, 2]);
    });

    probeTest("arrays, maps and sets are values", async ({ proxy }) => {
      expect(await proxy.echo([1, 2])).toEqual([1, 2]);
      expect(await proxy.echo(new Set([1]))).toEqual(new Set([1]));
      expect(await proxy.echo(new Float32Array([0.5]))).toEqual(new Float32Array([0.5]));
    });

    probeTest("a loop left early ends the source, which was read a bounded way ahead", async ({ proxy }) => {
      const state = { made: 0, closed: 0 };
      expect(await proxy.first(count(100_000, state), 3)).toEqual([0, 1, 2]);
      expect(state.closed).toBe(1);
      expect(state.made).toBeLessThanOrEqual(48);
    });

    probeTest("read-ahead is bounded in bytes as well", async ({ proxy }) => {
      let made = 0;
      async function* large(): AsyncGenerator<TakenItem> {
        for (; made < 100;) yield { name: `${made++}`, content: new Uint8Array(1 << 20) };
      }
      expect(await proxy.first(large(), 1)).toHaveLength(1);
      expect(made).toBeLessThanOrEqual(3);
    });

    probeTest("an error of the source reaches the reader after the items before it", async ({ proxy }) => {
      const failure = new StorageError("QUOTA_EXCEEDED", "full", { capability: "blobs", operation: "get" });
      const seen: number[] = [];
      async function* failing(): AsyncGenerator<number> {
        yield 1;
        yield 2;
        throw failure;
      }
      const error = await storageError(proxy.collect(failing()));
      expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", capability: "blobs" });
      expect(await proxy.first(failing(), 2).then((items) => seen.concat(items))).toEqual([1, 2]);
    });

    probeTest("a slow source is handed on item by item", async ({ proxy }) => {
      // The next item comes only after the one before was used on the other side.
      async function* slow(): AsyncGenerator<TakenItem> {
        for (const name of ["a", "b"]) {
          let use!: () => void;
          const used = new Promise<void>((resolve) => (use = resolve));
          const content = async (): Promise<Uint8Array> => {
            use();
            return new Uint8Array([1]);
          };
          yield { name, content };
          await used;
        }
      }
      expect(await proxy.read(slow())).toHaveLength(2);
    });

    probeTest("items carry functions, blobs and buffers", async ({ proxy }) => {
      async function* files(): AsyncGenerator<TakenItem> {
        for (let i = 0; i < 100; i++) yield { name: `${i}`, content: async () => new Uint8Array([i, 1]) };
        yield { name: "bytes", content: new Uint8Array([9, 9]) };
      }
      const read = await proxy.read(files());
      expect(read).toHaveLength(101);
      expect(read[41]).toEqual({ name: "41", sum: 42 });
      expect(read[100]).toEqual({ name: "bytes", sum: 18 });
    });

    probeTest("an item that cannot be cloned ends the stream with INVALID_INPUT", async ({ proxy }) => {
      const state = { closed: false };
      async function* items(): AsyncGenerator {
        try {
          yield { ok: 1 };
          yield { bad: new WeakMap() };
          yield { ok: 2 };
        } finally {
          state.closed = true;
        }
      }
      const error = await storageError(proxy.collect(items()));
      expect(error.code).toBe("INVALID_INPUT");
      expect(error.message).toContain("an item of the stream.bad");
      expect(state.closed).toBe(true);
    });
  });

  describe(`${name}: streams as results`, () => {
    probeTest("rows are iterated without awaiting the call", async ({ proxy }) => {
      let next = 0;
      for await (const row of proxy.rows(1000)) expect(row).toEqual({ i: next, text: `row ${next++}` });
      expect(next).toBe(1000);
      expect(await proxy.releasedStreams()).toBe(1);
    });

    probeTest("a sync generator becomes an async stream", async ({ proxy }) => {
      const seen: number[] = [];
      for await (const n of proxy.numbers(5)) seen.push(n);
      expect(seen).toEqual([0, 1, 2, 3, 4]);
    });

    probeTest("break releases the stream on the other side", async ({ proxy }) => {
      for await (const row of proxy.rows(1_000_000)) if (row.i === 2) break;
      expect(await proxy.releasedStreams()).toBe(1);
    });

    probeTest("return before the first row releases it too", async ({ proxy }) => {
      const rows = proxy.rows(10);
      expect(await rows.return?.()).toEqual({ done: true, value: undefined });
      expect(await rows.next()).toEqual({ done: true, value: undefined });
    });

    probeTest("several next at once are answered in order", async ({ proxy }) => {
      const rows = proxy.rows(3);
      const results = await Promise.all([1, 2, 3, 4, 5].map(() => rows.next()));
      expect(results.map((r) => (r.done === true ? "end" : r.value.i))).toEqual([0, 1, 2, "end", "end"]);
    });

    probeTest("an error comes after the rows before it, once", async ({ proxy }) => {
      const rows = proxy.rows(100, { failAt: 40 });
      let seen = 0;
      const error = await storageError(
        (async () => {
          for await (const _ of rows) seen++;
        })(),
      );
      expect(error.code).toBe("CORRUPT");
      expect(seen).toBe(40);
      expect(await rows.next()).toEqual({ done: true, value: undefined });
    });

    probeTest("the signal works while rows are read, and no row follows the abort", async ({ proxy }) => {
      const stop = new AbortController();
      let after = 0;
      const error = await storageError(
        (async () => {
          for await (const row of proxy.rows(1_000_000, { signal: stop.signal })) {
            if (stop.signal.aborted) after++;
            if (row.i === 5) stop.abort("enough");
          }
        })(),
      );
      expect(error.code).toBe("ABORTED");
      expect(error.cause).toBe("enough");
      expect(after).toBe(0);
      expect(await proxy.releasedStreams()).toBe(1);
    });

    probeTest("iterating what is no stream is UNSUPPORTED", async ({ proxy }) => {
      const call = proxy.nested.add(1, 1) as unknown as AsyncIterator<unknown>;
      expect((await storageError(call.next())).code).toBe("UNSUPPORTED");
    });
  });

  describe(`${name}: objects`, () => {
    probeTest("a transaction is lent to its callback", async ({ proxy }) => {
      let leaked: ProbeTransaction | undefined;
      const result = await proxy.transaction(async (tx) => {
        leaked = tx;
        await tx.run("a", 1);
        await tx.transaction(async (inner) => {
          await inner.run("b", 2);
          expect(await inner.get("a")).toBe(1);
        });
        const undone = tx.transaction(async (inner) => {
          await inner.run("c", 3);
          throw new RangeError("undo");
        });
        expect(await rejection(undone)).toBeInstanceOf(RangeError);
        const keys: string[] = [];
        for await (const key of tx.keys()) keys.push(key);
        return keys;
      });
      expect(result).toEqual(["a", "b"]);
      expect(await proxy.valueOf_("b")).toBe(2);
      expect((await storageError(leaked!.run("late", 1))).code).toBe("TRANSACTION");
    });

    probeTest("a rejected body rejects the transaction with the same error", async ({ proxy }) => {
      const cause = new StorageError("CONFLICT", "taken", { capability: "documents", operation: "put" });
      const error = await storageError(
        proxy.transaction(async (tx) => {
          await tx.run("x", 1);
          throw cause;
        }),
      );
      expect(error).toMatchObject({ code: "CONFLICT", message: "taken" });
      expect(await proxy.valueOf_("x")).toBeUndefined();
    });

    probeTest(
      "an object with methods stays, and is itself when it comes back",
      async ({ proxy, live }) => {
        const counter = await proxy.counter(5);
        expect(await counter.increment(2)).toBe(7);
        expect(await counter.increment()).toBe(8);
        expect(await proxy.isOwnCounter(counter)).toBe(true);
        expect(live().imported).toBe(1);
      },
      { leavesNothing: false },
    );
  });

  describe(`${name}: transfer`, () => {
    probeTest("marked buffers are moved to the other side", async ({ proxy }) => {
      const bytes = new Uint8Array(1000).fill(1);
      expect(await proxy.length(transfer(bytes, [bytes.buffer]))).toBe(1000);
      expect(bytes.byteLength).toBe(0);
      const kept = new Uint8Array(10);
      await proxy.length(kept);
      expect(kept.byteLength).toBe(10);
    });

    probeTest("and from it, also deep in a message and in a stream", async ({ proxy }) => {
      expect(await proxy.giveBytes(5)).toEqual(new Uint8Array(5).fill(7));
      const sent: Uint8Array[] = [];
      async function* parts(): AsyncGenerator<TakenItem> {
        for (let i = 0; i < 3; i++) {
          const bytes = new Uint8Array([i]);
          sent.push(bytes);
          yield { name: `${i}`, content: transfer(bytes, [bytes.buffer]) };
        }
      }
      expect((await proxy.read(parts())).map((p) => p.sum)).toEqual([0, 1, 2]);
      expect(sent.map((b) => b.byteLength)).toEqual([0, 0, 0]);
    });

    probeTest("a buffer that is gone already is INVALID_INPUT", async ({ proxy }) => {
      const bytes = new Uint8Array(8);
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      const error = await storageError(proxy.length(transfer(bytes, [bytes.buffer])));
      expect(error.code).toBe("INVALID_INPUT");
    });
  });

  describe(`${name}: the end`, () => {
    probeTest(
      "close fails what is pending with OWNER_LOST and what follows with CLOSED",
      async (connection) => {
        const { proxy } = connection;
        const reading = proxy.rows(1_000_000);
        await reading.next();
        const pending = [proxy.never(), proxy.rows(10).next()];
        connection.close();
        for (const call of pending) expect((await storageError(call)).code).toBe("OWNER_LOST");
        expect((await storageError(proxy.echo(1))).code).toBe("CLOSED");
        expect((await storageError(drain(reading))).code).toBe("OWNER_LOST");
        expect(connection.live()).toEqual(NOTHING);
        connection.close();
      },
      { leavesNothing: false },
    );
  });
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
