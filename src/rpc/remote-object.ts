import { memberName } from "./member-name.ts";
import type { Reference } from "./reference-table.ts";
import type { RemoteCall } from "./remote-call.ts";

/** Sends a call to a function or object of the other side. */
export type CallRemote = (anchor: RemoteAnchor, method: string, args: unknown[]) => RemoteCall<unknown>;

/** A function or object of the other side: whether this side may still use it. */
export class RemoteTarget implements Reference {
  readonly id: number;
  /** Lent for a call that is over, released, or the connection is gone. */
  ended = false;
  /** Calls of it that are not answered. */
  calls = 0;
  readonly #onEnd: (() => void) | undefined;

  constructor(id: number, onEnd?: () => void) {
    this.id = id;
    this.#onEnd = onEnd;
  }

  end(): void {
    this.ended = true;
    this.#onEnd?.();
  }
}

/** Shared by all proxies of a target and its pending calls: when it is collected, the target is released. */
export interface RemoteAnchor {
  readonly target: RemoteTarget;
}

/** What a proxy made here stands for. */
export interface ProxyOrigin {
  call: CallRemote;
  anchor: RemoteAnchor;
  /** Dotted path below the target, empty for the target itself. */
  method: string;
}

const origins = new WeakMap<object, ProxyOrigin>();

/** Returns what a remote function, object or method stands for, `undefined` for everything else. */
export function originOf(value: object): ProxyOrigin | undefined {
  return origins.get(value);
}

/** Returns a function that calls the remote function. */
export function remoteFunction(call: CallRemote, anchor: RemoteAnchor): (...args: unknown[]) => RemoteCall<unknown> {
  const proxy = (...args: unknown[]): RemoteCall<unknown> => call(anchor, "", args);
  origins.set(proxy, { call, anchor, method: "" });
  return proxy;
}

/** Members of every function, so of every remote method: a compiled `await using` makes use of `call`. */
const OF_FUNCTIONS: ReadonlySet<string> = new Set(["call", "apply", "bind"]);

/** Returns an object all of whose members are remote methods or remote objects. It is no thenable and not iterable. */
export function remoteObject(call: CallRemote, anchor: RemoteAnchor, method = ""): object {
  const members = new Map<string, object>();
  const proxy = new Proxy((): void => {}, {
    get(callable, key) {
      const name = memberName(key);
      if (name === undefined || (method !== "" && OF_FUNCTIONS.has(name))) return inheritedMember(callable, key);
      let member = members.get(name);
      if (member === undefined) {
        member = remoteObject(call, anchor, method === "" ? name : `${method}.${name}`);
        members.set(name, member);
      }
      return member;
    },
    apply: (_callable, _self, args: unknown[]) => call(anchor, method, args),
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    setPrototypeOf: () => false,
  });
  origins.set(proxy, { call, anchor, method });
  return proxy;
}

/** `toString` and the like, so that a proxy can be printed and compared; no `then`, no `constructor`, no symbols. */
function inheritedMember(callable: object, key: string | symbol): unknown {
  if (typeof key === "symbol" || key === "then" || key === "constructor") return undefined;
  return Reflect.get(callable, key) as unknown;
}
