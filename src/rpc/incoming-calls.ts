import { CallScope } from "./call-scope.ts";
import { fillHoles } from "./decode.ts";
import { toWireError } from "./error-wire.ts";
import { findMember } from "./member-lookup.ts";
import type { Post } from "./peer-link.ts";
import type { CallMessage } from "./protocol.ts";
import type { References } from "./references.ts";
import { rpcError } from "./rpc-error.ts";
import { unsendable } from "./uncloneable.ts";

type Method = (...args: unknown[]) => unknown;

/** The calls that the other side makes. */
export class IncomingCalls {
  readonly #post: Post;
  readonly #references: References;
  #running = 0;

  constructor(post: Post, references: References) {
    this.#post = post;
    this.#references = references;
  }

  /** How many run. */
  get size(): number {
    return this.#running;
  }

  /** Makes the call and sends what it returns, resolves to, throws or rejects with. */
  receive(message: Extract<CallMessage, { lode: "call" }>): void {
    const { id, method } = message;
    let scope: CallScope | undefined;
    const settle = (send: () => void): void => {
      this.#running--;
      send();
      scope?.drop();
    };
    const fail = (error: unknown): void => settle(() => this.#sendFailure(id, error));
    const answer = (value: unknown): void =>
      settle(() => this.#sendResult(id, method, value, () => (scope ??= new CallScope())));
    this.#running++;
    let result: unknown;
    try {
      const resolver = this.#references.resolver(() => ({
        scope: (scope ??= new CallScope()),
        given: false,
      }));
      const args = fillHoles(message.args, message.holes, resolver) as unknown[];
      result = this.#invoke(message.target, method, args);
      if (isThenable(result)) {
        result.then(answer, fail);
        return;
      }
    } catch (error) {
      fail(error);
      return;
    }
    answer(result);
  }

  #invoke(target: number, path: string, args: unknown[]): unknown {
    const exported = this.#references.target(target);
    if (exported === undefined) {
      const message = `${path || "callback"}: the object was lent to a call that is over`;
      throw rpcError("TRANSACTION", path, message);
    }
    const { object, owner } = exported;
    if (path === "" && typeof object === "function") return Reflect.apply(object as Method, owner, args);
    const found = findMember(object, path);
    if (typeof found?.member !== "function")
      throw rpcError("UNSUPPORTED", path, `there is no method ${JSON.stringify(path)}`);
    return Reflect.apply(found.member as Method, found.self, args);
  }

  #sendResult(id: number, method: string, value: unknown, scope: () => CallScope): void {
    const { encoder, undo } = this.#references.encoder(() => ({ scope: scope(), given: true }));
    let encoded = value;
    try {
      encoded = encoder.encode(value, []);
      const result: CallMessage = { lode: "result", id, value: encoded };
      if (encoder.holes !== undefined) result.holes = encoder.holes;
      this.#post(result, encoder.transfer);
      encoder.sent();
      if (this.#references.ended) undo();
    } catch (error) {
      undo();
      const operation = method || "callback";
      this.#sendFailure(id, unsendable("SERIALIZATION", operation, [["the result", encoded]], error));
    }
  }

  #sendFailure(id: number, error: unknown): void {
    this.#post({ lode: "failure", id, error: toWireError(error) });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as Partial<PromiseLike<unknown>>).then === "function"
  );
}
