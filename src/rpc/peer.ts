import type { StorageError } from "../errors.ts";
import { IncomingCalls } from "./incoming-calls.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";
import { type Ending, type Post, ROOT_ID } from "./peer-link.ts";
import type { PeerMessage } from "./protocol.ts";
import { References } from "./references.ts";
import { remoteObject, RemoteTarget } from "./remote-object.ts";
import { rpcError } from "./rpc-error.ts";

/** What a connection holds at the moment. All are 0 when nothing is going on: for tests and diagnostics. */
export interface LiveCounts {
  /** Calls sent and not answered. */
  calls: number;
  /** Calls of the other side that run here. */
  running: number;
  /** Functions, objects, streams and signals of this side that the other holds. */
  exported: number;
  /** Those of the other side that this one holds. */
  imported: number;
}

/** One side of an open connection; both sides are alike, but only the server has a root. */
export class Peer {
  readonly #references: References;
  readonly #outgoing: OutgoingCalls;
  readonly #incoming: IncomingCalls;
  #ending: Ending | undefined;

  constructor(send: (message: PeerMessage, transfer: Transferable[]) => void, root?: object) {
    const post: Post = (message, transfer = []) => {
      if (this.#ending === undefined) send(message, transfer);
    };
    this.#references = new References(post, {
      root,
      call: (anchor, method, args) => this.#outgoing.call(anchor, method, args),
      abandon: (target) => this.#outgoing.abandon(target),
    });
    this.#outgoing = new OutgoingCalls(post, this.#references);
    this.#incoming = new IncomingCalls(post, this.#references);
  }

  /** Returns the root object of the other side. */
  remoteRoot(): object {
    return remoteObject(this.#references.call, { target: new RemoteTarget(ROOT_ID) });
  }

  live(): LiveCounts {
    return {
      calls: this.#outgoing.size,
      running: this.#incoming.size,
      exported: this.#references.exported,
      imported: this.#references.imported,
    };
  }

  /** Handles a message. A damaged one fails the call or stream it belongs to, or is dropped. */
  receive(message: PeerMessage): void {
    try {
      this.#dispatch(message);
    } catch (error) {
      // Only a message that this protocol does not make gets here, and nothing waits for it.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  #dispatch(message: PeerMessage): void {
    switch (message.lode) {
      case "call":
        return this.#incoming.receive(message);
      case "result":
        return this.#outgoing.resolve(message);
      case "failure":
        return this.#outgoing.reject(message);
      default:
        return this.#references.receive(message);
    }
  }

  /** Ends everything: what is pending with OWNER_LOST, what comes later with the code of `ending`.
   *  @returns the error that running work on this side sees. */
  end(ending: Ending): StorageError {
    const lost = rpcError("OWNER_LOST", "connection", ending.message, ending.cause);
    if (this.#ending !== undefined) return lost;
    this.#ending = ending;
    this.#outgoing.end(ending);
    this.#references.end(lost);
    return lost;
  }
}
