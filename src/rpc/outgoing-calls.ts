import { StorageError } from "../errors.ts";
import { CallScope } from "./call-scope.ts";
import { fillHoles } from "./decode.ts";
import { fromWireError } from "./error-wire.ts";
import type { Ending, Post } from "./peer-link.ts";
import type { CallMessage } from "./protocol.ts";
import type { References } from "./references.ts";
import { RemoteCall } from "./remote-call.ts";
import type { RemoteAnchor, RemoteTarget } from "./remote-object.ts";
import { rpcError } from "./rpc-error.ts";
import { unsendable } from "./uncloneable.ts";

interface PendingCall {
  operation: string;
  /** Keeps the target from being released while it works. */
  anchor: RemoteAnchor;
  /** There once a reference is in the arguments or the answer. */
  scope: CallScope | undefined;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** The calls that this side makes. */
export class OutgoingCalls {
  readonly #post: Post;
  readonly #references: References;
  readonly #pending = new Map<number, PendingCall>();
  #ending: Ending | undefined;

  constructor(post: Post, references: References) {
    this.#post = post;
    this.#references = references;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Sends a call. Everything that is wrong with it rejects the returned promise. */
  call(anchor: RemoteAnchor, method: string, args: unknown[]): RemoteCall<unknown> {
    const operation = method === "" ? "callback" : method;
    const { call, resolve, reject } = RemoteCall.open<unknown>(operation);
    try {
      this.#checkUsable(anchor.target, operation);
      this.#send({ operation, anchor, scope: undefined, resolve, reject }, method, args);
    } catch (error) {
      reject(error);
    }
    return call;
  }

  resolve(message: Extract<CallMessage, { lode: "result" }>): void {
    const pending = this.#take(message.id);
    if (pending === undefined) return this.#references.refuse(message.holes);
    const { operation } = pending;
    try {
      const resolver = this.#references.resolver(() => ({
        scope: (pending.scope ??= new CallScope()),
        given: true,
      }));
      pending.resolve(fillHoles(message.value, message.holes, resolver));
    } catch (error) {
      const text = `${operation}: the answer is damaged`;
      pending.reject(rpcError("BAD_FORMAT", operation, text, error));
    }
    pending.scope?.drop();
  }

  reject(message: Extract<CallMessage, { lode: "failure" }>): void {
    const pending = this.#take(message.id);
    pending?.reject(fromWireError(message.error));
    pending?.scope?.drop();
  }

  /** Gives up the calls of a function that was lent for a call that is over: nobody can await them any more. */
  abandon(target: RemoteTarget): void {
    if (target.calls === 0) return;
    for (const [id, pending] of this.#pending) {
      if (pending.anchor.target !== target) continue;
      this.#take(id);
      pending.reject(lentError(pending.operation));
      pending.scope?.drop();
    }
  }

  end(ending: Ending): void {
    this.#ending = ending;
    for (const [id, { operation, reject, scope }] of this.#pending) {
      this.#take(id);
      reject(rpcError("OWNER_LOST", operation, ending.message, ending.cause));
      scope?.drop();
    }
  }

  #checkUsable(target: RemoteTarget, operation: string): void {
    if (this.#ending !== undefined) {
      const { code, message, cause } = this.#ending;
      throw rpcError(code, operation, message, cause);
    }
    if (target.ended) throw lentError(operation);
  }

  #send(pending: PendingCall, method: string, args: unknown[]): void {
    const { operation, anchor } = pending;
    const id = this.#references.newId();
    const { encoder, undo } = this.#references.encoder(() => ({
      scope: (pending.scope ??= new CallScope()),
      given: false,
    }));
    let encoded = args;
    try {
      encoded = args.map((arg, i) => encoder.encode(arg, [i]));
      checkNotAborted(pending);
      const call: CallMessage = { lode: "call", id, target: anchor.target.id, method, args: encoded };
      if (encoder.holes !== undefined) call.holes = encoder.holes;
      this.#post(call, encoder.transfer);
      encoder.sent();
      this.#pending.set(id, pending);
      anchor.target.calls++;
    } catch (error) {
      undo();
      if (error instanceof StorageError) throw error;
      const parts = encoded.map((arg, i): [string, unknown] => [`argument ${i + 1}`, arg]);
      throw unsendable("INVALID_INPUT", operation, parts, error);
    }
  }

  #take(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.anchor.target.calls--;
    return pending;
  }
}

function checkNotAborted({ scope, operation }: PendingCall): void {
  const aborted = scope?.signals.find((signal) => signal.aborted);
  if (aborted === undefined) return;
  const message = `${operation} was aborted before it began`;
  throw rpcError("ABORTED", operation, message, aborted.reason);
}

function lentError(operation: string): StorageError {
  const message = `${operation}: the object was lent to a call that is over`;
  return rpcError("TRANSACTION", operation, message);
}
