import { describe, expect, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { connect, type Connection } from "../../src/rpc/client.ts";
import { portEndpoint, workerEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";
import type { Closing } from "./closing-worker.ts";
import { Probe } from "./probe.ts";
import { describeRpc } from "./rpc-cases.ts";

// Vite finds worker scripts only where the whole expression stands together.
const probeWorker = (): Worker => new Worker(new URL("./probe-worker.ts", import.meta.url), { type: "module" });
const closingWorker = (): Worker => new Worker(new URL("./closing-worker.ts", import.meta.url), { type: "module" });
const endingWorker = (): Worker => new Worker(new URL("./ending-worker.ts", import.meta.url), { type: "module" });
const failingWorker = (): Worker => new Worker(new URL("./failing-worker.ts", import.meta.url), { type: "module" });

const NOTHING = { calls: 0, running: 0, exported: 0, imported: 0 };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof StorageError ? error.code : String(error)),
  );
}

describeRpc("over a real worker", async () => {
  const connection = await connect<Probe>(workerEndpoint(probeWorker()));
  return { connection, dispose: () => connection.terminate() };
});

describeRpc("over a MessageChannel in one realm", async () => {
  const { port1, port2 } = new MessageChannel();
  const served = serve(portEndpoint(port2), () => new Probe(() => served.live()));
  const connection = await connect<Probe>(portEndpoint(port1));
  return { connection, dispose: () => connection.terminate() };
});

describe("a worker that dies", () => {
  async function open(): Promise<{ worker: Worker; connection: Connection<Probe> }> {
    const worker = probeWorker();
    return { worker, connection: await connect<Probe>(workerEndpoint(worker)) };
  }

  test("terminated behind the connection's back fails every pending call, row and callback", async () => {
    const { worker, connection } = await open();
    const { proxy } = connection;
    const rows = proxy.rows(1_000_000);
    await rows.next();
    let inBody!: () => void;
    const started = new Promise<void>((resolve) => (inBody = resolve));
    const transaction = proxy.transaction(async (tx) => {
      await tx.run("a", 1);
      inBody();
      await proxy.never();
    });
    await started;
    const pending = [
      proxy.never(),
      ...Array.from({ length: 50 }, () => proxy.untilAborted({ signal: new AbortController().signal })),
      transaction,
    ];
    worker.terminate();
    for (const call of pending) expect(await codeOf(call)).toBe("OWNER_LOST");
    const drained = (async () => {
      for await (const _ of rows);
    })();
    expect(await codeOf(drained)).toBe("OWNER_LOST");
    expect((await connection.lost).code).toBe("OWNER_LOST");
    expect(await codeOf(proxy.echo(1))).toBe("OWNER_LOST");
    expect(connection.live()).toEqual(NOTHING);
  });

  test("terminated while idle resolves lost", async () => {
    const { worker, connection } = await open();
    worker.terminate();
    expect(await connection.lost).toMatchObject({ code: "OWNER_LOST", capability: "rpc" });
  });

  test("that closes itself is noticed", async () => {
    const { proxy } = await connect<Closing>(workerEndpoint(closingWorker()));
    expect(await codeOf(proxy.closeSelf())).toBe("OWNER_LOST");
  });

  test("an error that escapes in a living worker does not end the connection", async () => {
    const worker = closingWorker();
    worker.addEventListener("error", (event) => event.preventDefault());
    const connection = await connect<Closing>(workerEndpoint(worker));
    expect(await connection.proxy.letErrorEscape()).toBe("still here");
    connection.terminate();
  });

  test("while it makes what it serves rejects connect", async () => {
    const failed = connect(workerEndpoint(endingWorker()));
    await expect(failed).rejects.toMatchObject({ code: "OWNER_LOST", message: "the worker is gone" });
  });

  test("that throws at its start rejects connect with the reason", async () => {
    const failed = connect(workerEndpoint(failingWorker()));
    await expect(failed).rejects.toMatchObject({
      code: "OWNER_LOST",
      message: expect.stringContaining("no luck at the start") as string,
    });
  });

  test("whose script is not there rejects connect", async () => {
    const script = new Blob(["import './nowhere.js'"], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(script), { type: "module" });
    expect(await codeOf(connect(workerEndpoint(worker)))).toBe("OWNER_LOST");
  });
});
