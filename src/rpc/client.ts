import type { StorageError } from "../errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { fromWireError } from "./error-wire.ts";
import { holdLifeLock, watchLifeLock } from "./life-lock.ts";
import { asWireMessage, lockName } from "./message-check.ts";
import { type LiveCounts, Peer } from "./peer.ts";
import type { Ending } from "./peer-link.ts";
import type { WireMessage } from "./protocol.ts";
import { PROTOCOL_VERSION } from "./protocol-version.ts";
import type { Remote } from "./remote.ts";
import { rpcError } from "./rpc-error.ts";

export interface ConnectOptions {
  /** Structured-cloneable data for the server's root function. */
  params?: unknown;
  /** Gives up connecting; has no effect once connected. Only this ends the wait for a worker that lives and never
   *  answers, or that dies before its script has heard of the connection. */
  signal?: AbortSignal;
}

/** An open connection. */
export interface Connection<T extends object> {
  /** The served object. */
  readonly proxy: Remote<T>;
  /** Resolves with OWNER_LOST when the other side is gone; stays pending after `close` and `terminate`. Never rejects. */
  readonly lost: Promise<StorageError>;
  /** Ends the connection: pending calls reject with OWNER_LOST, later ones with CLOSED. The worker lives on. */
  readonly close: () => void;
  /** Ends the connection as `close` does, and the worker or channel with it. */
  readonly terminate: () => void;
  readonly live: () => LiveCounts;
}

/**
 * Connects to the object that {@link serve} serves at the other end, and returns it as if it were here.
 *
 * What crosses, as argument, result or item of a stream, at any depth of object literals and arrays:
 * - structured-cloneable data: copied; buffers marked with `transfer` are moved. Instances of classes without methods
 *   count as data. The content of a Map or Set is not looked into.
 * - AbortSignal: mirrored with its reason. An aborted one rejects the call with ABORTED without sending it.
 * - functions: return a promise on the other side. `this` is the object literal that held them.
 * - iterators, generators and iterables that are no collections: pulled in batches with bounded read-ahead;
 *   leaving the loop early ends the source. An item must not be changed after it was yielded: it may not be sent yet.
 * - instances of classes with methods: stay where they are, the other side gets a remote object.
 * - errors: keep name, message, stack and causes; a StorageError everything.
 *
 * References in arguments are lent for the call: used later, they reject with TRANSACTION. References in a result last
 * until they are collected, the stream has ended, or the connection closes; as long as they do, so do the arguments.
 *
 * Where the endpoint does not see the end of the other side, loss is seen by a Web Lock that the worker takes before it
 * calls the root function, so `worker.terminate()` and crashes are noticed as well, from then on. Where there are no Web
 * Locks (insecure contexts) end the worker with `terminate()` of the connection, and a crash is not noticed.
 *
 * @throws StorageError OWNER_LOST (the script cannot be loaded or throws at its start, the worker ends, the endpoint closes),
 *   BAD_FORMAT (the two sides are of different versions), ABORTED, INVALID_INPUT (params), and what the root function throws.
 * @example
 *   const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
 *   const { proxy: store } = await connect<Store>(workerEndpoint(worker), { params: { name: "notes" } });
 *   const { hits } = await store.search({ text: "durable" });
 */
export async function connect<T extends object>(
  endpoint: Endpoint,
  options: ConnectOptions = {},
): Promise<Connection<T>> {
  const lock = endpoint.seesEnd === true ? undefined : await holdLifeLock();
  try {
    return await handshake<T>(endpoint, options, lock?.name ?? null, () => lock?.release());
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function handshake<T extends object>(
  endpoint: Endpoint,
  { params, signal }: ConnectOptions,
  lock: string | null,
  releaseLock: () => void,
): Promise<Connection<T>> {
  return new Promise((resolve, reject) => {
    let connection: Opened<T> | undefined;
    let unwatch = (): void => {};
    const session = Math.random();
    const send = (message: WireMessage, transfer: Transferable[] = []): void => endpoint.postMessage(message, transfer);
    const leave = (): void => {
      unwatch();
      unsubscribe();
    };
    const fail = (error: unknown): void => {
      leave();
      signal?.removeEventListener("abort", abort);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the root function threw, whatever it is
      reject(error);
    };
    const lose = (message: string, cause?: unknown): void => {
      if (connection !== undefined) connection.lose(message, cause);
      else fail(rpcError("OWNER_LOST", "connect", message, cause));
    };
    const abort = (): void => {
      send({ lode: "bye" });
      fail(rpcError("ABORTED", "connect", "connecting was aborted", signal?.reason));
    };
    const hello = (): void => {
      try {
        send({ lode: "hello", version: PROTOCOL_VERSION, session, lock, params });
      } catch (error) {
        fail(rpcError("INVALID_INPUT", "connect", "params cannot be sent", error));
      }
    };
    const unsubscribe = endpoint.subscribe({
      message: (data) => {
        const message = asWireMessage(data);
        if (message === undefined) return;
        if (connection !== undefined) return connection.receive(message);
        switch (message.lode) {
          case "ready":
            return hello();
          case "opening":
            if (message.session !== session || message.version !== PROTOCOL_VERSION) return;
            unwatch = watchLifeLock(lockName(message.lock), () => lose("the worker is gone"));
            return;
          case "bye":
            return lose("the worker closed the connection");
          case "refuse":
            if (message.session !== session) return;
            return fail(fromWireError(message.error));
          case "welcome":
            if (message.session !== session) return;
            if (message.version !== PROTOCOL_VERSION) return fail(versionError(message.version));
            signal?.removeEventListener("abort", abort);
            connection = open(endpoint, leave, releaseLock);
            return resolve(connection);
          default:
            return;
        }
      },
      lost: (reason, cause) => lose(`the connection was lost: ${reason}`, cause),
      uncaught: (error) => {
        if (connection !== undefined) return false;
        const message = `the worker failed at its start: ${error.message}`;
        fail(rpcError("OWNER_LOST", "connect", message, error));
        return true;
      },
    });
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    else hello();
  });
}

interface Opened<T extends object> extends Connection<T> {
  receive(message: WireMessage): void;
  lose(message: string, cause?: unknown): void;
}

function open<T extends object>(endpoint: Endpoint, leave: () => void, releaseLock: () => void): Opened<T> {
  const peer = new Peer((message, transfer) => endpoint.postMessage(message, transfer));
  let tellLoss!: (error: StorageError) => void;
  const lost = new Promise<StorageError>((resolve) => (tellLoss = resolve));
  let isOver = false;
  const finish = (ending: Ending): StorageError => {
    isOver = true;
    leave();
    const error = peer.end(ending);
    releaseLock();
    return error;
  };
  const lose = (message: string, cause?: unknown): void => {
    if (!isOver) tellLoss(finish({ code: "OWNER_LOST", message, cause }));
  };
  const close = (): void => {
    if (isOver) return;
    finish({ code: "CLOSED", message: "the connection was closed", cause: undefined });
    endpoint.postMessage({ lode: "bye" } satisfies WireMessage, []);
  };
  return {
    proxy: peer.remoteRoot() as Remote<T>,
    lost,
    close,
    terminate: () => {
      close();
      endpoint.terminate?.();
    },
    live: () => peer.live(),
    lose,
    receive: (message) => {
      switch (message.lode) {
        case "bye":
          return lose("the worker closed the connection");
        case "ready":
        case "hello":
        case "opening":
        case "welcome":
        case "refuse":
          return;
        default:
          return peer.receive(message);
      }
    },
  };
}

function versionError(version: number): StorageError {
  const message = `the worker speaks version ${version} of the protocol, the page version ${PROTOCOL_VERSION}: reload both`;
  return rpcError("BAD_FORMAT", "connect", message);
}
