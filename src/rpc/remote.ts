type Method = (...args: never[]) => unknown;
type AsyncMethod = (...args: never[]) => Promise<unknown> | AsyncIterableIterator<unknown>;

type RemoteMethod<M> = M extends AsyncMethod
  ? M
  : M extends (...args: infer Args) => infer Result
    ? (...args: Args) => RemoteResult<Result>
    : never;

type RemoteResult<Result> =
  Result extends Iterator<infer Item> ? AsyncIterableIterator<Item> : Promise<Awaited<Result>>;

/**
 * The type of an object on the other side: methods return promises or async iterators, nested objects are remote
 * objects, other properties are not there. Methods that are asynchronous already keep their type, so that for such an
 * interface `Remote<T>` is assignable to `T`.
 */
export type Remote<T extends object> = {
  readonly [K in keyof T as T[K] extends Method | object ? K : never]: T[K] extends Method
    ? RemoteMethod<T[K]>
    : T[K] extends object
      ? Remote<T[K]>
      : never;
};
