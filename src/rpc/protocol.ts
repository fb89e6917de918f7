import type { StorageCapability, StorageErrorCode } from "../errors.ts";

/** An error, or any other thrown value, as it travels. */
export type WireError =
  | {
      type: "storage";
      name: string;
      message: string;
      stack: string | undefined;
      code: StorageErrorCode;
      capability: StorageCapability;
      operation: string;
      retryable: boolean;
      cause?: WireError;
    }
  | {
      type: "error" | "dom";
      name: string;
      message: string;
      stack: string | undefined;
      cause?: WireError;
    }
  | { type: "value"; value: unknown };

/** What stands in for a value that is not copied. Ids are the sender's, except in `yours`. */
export type WireReference =
  | { kind: "function"; id: number }
  | { kind: "object"; id: number }
  | { kind: "stream"; id: number }
  | { kind: "signal"; id: number; aborted?: WireError }
  | { kind: "error"; error: WireError }
  | { kind: "yours"; id: number; method: string };

/** A place in a message's value that a reference fills; `at` is the way from the value to the place. */
export interface WireHole {
  at: (string | number)[];
  reference: WireReference;
}

/** Connecting: `ready` when serving begins, `hello` from the client, repeated after `ready`, answered by `opening` before
 *  the root is made and by `welcome` or `refuse` after it. `session` tells one attempt to connect from another. `lock`
 *  names the Web Lock that the sender holds as long as it lives: making the root may take long, and end the worker. */
export type HandshakeMessage =
  | { lode: "ready"; version: number }
  | { lode: "hello"; version: number; session: number; lock: string | null; params: unknown }
  | { lode: "opening"; version: number; session: number; lock: string | null }
  | { lode: "welcome"; version: number; session: number }
  | { lode: "refuse"; version: number; session: number; error: WireError };

/** Calls, either way. `target` is an id of the receiver, 0 its root; `method` a dotted path, empty to call the target. */
export type CallMessage =
  | {
      lode: "call";
      id: number;
      target: number;
      method: string;
      args: unknown[];
      holes?: WireHole[];
    }
  | { lode: "result"; id: number; value: unknown; holes?: WireHole[] }
  | { lode: "failure"; id: number; error: WireError };

/** References that outlive a message. `pull`, `stop` and `release` come from the side that received one,
 *  `batch`, `stopped` and `abort` from the side that sent it. One `pull` is answered by one `batch`. */
export type ReferenceMessage =
  | { lode: "abort"; id: number; reason: WireError }
  | { lode: "pull"; id: number; count: number }
  | {
      lode: "batch";
      id: number;
      items: unknown[];
      holes?: WireHole[];
      end: boolean;
      error?: WireError;
    }
  | { lode: "stop"; id: number }
  | { lode: "stopped"; id: number; error?: WireError }
  | { lode: "release"; id: number };

/** The sender ends the connection. */
export type ByeMessage = { lode: "bye" };

export type WireMessage = HandshakeMessage | CallMessage | ReferenceMessage | ByeMessage;

/** The messages of an open connection. */
export type PeerMessage = CallMessage | ReferenceMessage;
