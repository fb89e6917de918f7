/** How an object crosses a connection.
 *  - `plain`: copied, looked into (arrays, object literals, instances of classes without methods)
 *  - `native`: copied by the platform (Map, Date, typed arrays, Blob, File, …), not looked into
 *  - `stream`: pulled in batches (iterators, generators, iterables that are no collections)
 *  - `signal`: an AbortSignal, mirrored
 *  - `error`: copied with everything that StorageError adds
 *  - `object`: stays; the other side gets a handle (instances of classes with methods) */
export type ObjectKind = "plain" | "native" | "stream" | "signal" | "error" | "object";

/** Platform classes whose subclasses are cloned as the class itself. */
const CLONED_AS_BASE: ReadonlySet<string> = new Set([
  "Map",
  "Set",
  "Date",
  "RegExp",
  "Boolean",
  "Number",
  "String",
  "BigInt",
  "ArrayBuffer",
  "SharedArrayBuffer",
  "Blob",
  "File",
]);

const kindOfPrototype = new WeakMap<object, ObjectKind>();

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function hasMethods(prototype: object): boolean {
  for (let p: object | null = prototype; p !== null; p = Object.getPrototypeOf(p) as object | null) {
    if (Object.getPrototypeOf(p) === null) return false;
    for (const key of Reflect.ownKeys(p)) {
      if (key === "constructor") continue;
      if (isFunction(Object.getOwnPropertyDescriptor(p, key)?.value)) return true;
    }
  }
  return false;
}

function classify(value: object, prototype: object): ObjectKind {
  if (value instanceof AbortSignal) return "signal";
  if (value instanceof Error) return "error";
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== "Object") {
    if (CLONED_AS_BASE.has(tag)) return "native";
    const platformClass: unknown = (globalThis as unknown as Record<string, unknown>)[tag];
    if (isFunction(platformClass) && (platformClass as { prototype: unknown }).prototype === prototype) return "native";
  }
  return hasMethods(prototype) ? "object" : "plain";
}

/** Returns how an object crosses a connection. Decided by its class, once per class, and by whether it can be iterated. */
export function kindOf(value: object): ObjectKind {
  if (Array.isArray(value)) return "plain";
  if (ArrayBuffer.isView(value)) return "native";
  const prototype = Object.getPrototypeOf(value) as object | null;
  let kind: ObjectKind = "plain";
  if (prototype !== null && prototype !== Object.prototype) {
    const known = kindOfPrototype.get(prototype);
    if (known === undefined) kindOfPrototype.set(prototype, (kind = classify(value, prototype)));
    else kind = known;
  }
  if (kind === "signal" || kind === "error") return kind;
  const { [Symbol.asyncIterator]: asyncIterator, [Symbol.iterator]: iterator } = value as {
    [Symbol.asyncIterator]?: unknown;
    [Symbol.iterator]?: unknown;
  };
  if (isFunction(asyncIterator) || (kind !== "native" && isFunction(iterator))) return "stream";
  return kind;
}
