import type { StorageError } from "../errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { toWireError } from "./error-wire.ts";
import { holdLifeLock, type LifeLock, watchLifeLock } from "./life-lock.ts";
import { asWireMessage, lockName } from "./message-check.ts";
import { type LiveCounts, Peer } from "./peer.ts";
import type { HandshakeMessage, WireMessage } from "./protocol.ts";
import { PROTOCOL_VERSION } from "./protocol-version.ts";
import { originOf } from "./remote-object.ts";
import { rpcError } from "./rpc-error.ts";

/** The object that is served, or how to get it: called with the client's `params` for each connection. When it fails,
 *  the client's `connect` rejects with the same error. */
export type ServedRoot = object | RootFunction;

/** @param signal Aborted when the client has left, also one that was refused: nobody waits for the root any more. */
type RootFunction = (params: unknown, signal: AbortSignal) => object | Promise<object>;

export interface ServeOptions {
  /** Called with the root object when its connection is over: closed by either side (CLOSED), or lost (OWNER_LOST).
   *  Signals of running calls are aborted by then. */
  onDisconnect?: (root: object, reason: StorageError) => void;
}

/** A served endpoint. */
export interface Served {
  /** What the connection at hand holds; all 0 when there is none. */
  readonly live: () => LiveCounts;
  /** Ends the connection, which the client sees as OWNER_LOST, and stops serving. */
  readonly close: () => void;
}

/** A connection from its `hello` on. */
interface Session {
  id: number;
  readonly ended: AbortController;
  root?: object;
  peer?: Peer;
  lock?: LifeLock | undefined;
  unwatch?: () => void;
  over?: StorageError;
}

/**
 * Serves an object to the other end of a channel, one connection after the other. To be called while the worker's
 * script runs first, so that no message is missed.
 *
 * Methods are called by path (`documents.getDocument`); own and class members only, never those of Object.
 * What crosses, and how, is described at {@link connect}.
 *
 * @example
 *   serve(workerScopeEndpoint(), (params) => openStoreHere(params as OpenOptions));
 */
export function serve(endpoint: Endpoint, root: ServedRoot, options: ServeOptions = {}): Served {
  let session: Session | undefined;

  const send = (message: WireMessage, transfer: Transferable[] = []): void => endpoint.postMessage(message, transfer);

  const finish = (code: "OWNER_LOST" | "CLOSED", message: string, cause?: unknown): void => {
    const ending = session;
    if (ending === undefined) return;
    // That of a refused session, too, which was held until now: letting go before the refusal is read looks like dying.
    ending.lock?.release();
    const over = rpcError(code, "connection", message, cause);
    ending.ended.abort(over);
    if (ending.over !== undefined) return;
    ending.over = over;
    ending.unwatch?.();
    ending.peer?.end({ code, message, cause });
    if (ending.peer !== undefined) options.onDisconnect?.(ending.root!, ending.over);
  };

  const refuse = (id: number, error: unknown): void =>
    send({ lode: "refuse", version: PROTOCOL_VERSION, session: id, error: toWireError(error) });

  const begin = async (hello: Extract<HandshakeMessage, { lode: "hello" }>): Promise<void> => {
    const { version, session: id } = hello;
    if (session?.id === id) return;
    finish("OWNER_LOST", "the client connected anew");
    const mine: Session = { id, ended: new AbortController() };
    session = mine;
    try {
      if (version !== PROTOCOL_VERSION) throw versionError(version);
      if (endpoint.seesEnd !== true) mine.lock = await holdLifeLock();
      if (isOver(mine)) return mine.lock?.release();
      send({ lode: "opening", version: PROTOCOL_VERSION, session: id, lock: mine.lock?.name ?? null });
      mine.root = isRootFunction(root) ? await root(hello.params, mine.ended.signal) : root;
      if (mine.over === undefined) welcome(mine, hello.lock);
      else options.onDisconnect?.(mine.root, mine.over);
    } catch (error) {
      if (mine.over === undefined) refuse(id, error);
      mine.over ??= rpcError("CLOSED", "connect", "the connection was refused");
    }
  };

  const welcome = (mine: Session, clientLock: unknown): void => {
    mine.peer = new Peer(send, mine.root);
    mine.unwatch = watchLifeLock(lockName(clientLock), () => finish("OWNER_LOST", "the client is gone"));
    send({ lode: "welcome", version: PROTOCOL_VERSION, session: mine.id });
  };

  const unsubscribe = endpoint.subscribe({
    message: (data) => {
      const message = asWireMessage(data);
      if (message === undefined) return;
      switch (message.lode) {
        case "hello":
          void begin(message);
          break;
        case "bye":
          return finish("CLOSED", "the client closed the connection");
        case "ready":
        case "opening":
        case "welcome":
        case "refuse":
          return;
        default:
          session?.peer?.receive(message);
      }
    },
    lost: (reason, cause) => finish("OWNER_LOST", `the connection was lost: ${reason}`, cause),
    uncaught: () => false,
  });
  send({ lode: "ready", version: PROTOCOL_VERSION });

  return {
    live: () => session?.peer?.live() ?? { calls: 0, running: 0, exported: 0, imported: 0 },
    close: () => {
      if (session !== undefined && session.over === undefined) send({ lode: "bye" });
      finish("CLOSED", "the server closed the connection");
      unsubscribe();
    },
  };
}

function isOver(session: Session): boolean {
  return session.over !== undefined;
}

/** A proxy of another connection is callable too, but it is an object to serve. */
function isRootFunction(root: ServedRoot): root is RootFunction {
  return typeof root === "function" && originOf(root) === undefined;
}

function versionError(version: number): StorageError {
  const message = `the page speaks version ${version} of the protocol, the worker version ${PROTOCOL_VERSION}: reload both`;
  return rpcError("BAD_FORMAT", "connect", message);
}
