/** What an endpoint tells its one subscriber. */
export interface EndpointEvents {
  message(data: unknown): void;
  /** The other side is gone, or a message of it was lost. Nothing follows. */
  lost(reason: string, cause: unknown): void;
  /** An error escaped on the other side, which may live on.
   *  @returns whether it is dealt with; otherwise the platform reports it. */
  uncaught(error: Error): boolean;
}

/** One end of a channel that delivers structured clones in order. */
export interface Endpoint {
  /** Sends a structured clone; `transfer` are moved instead of copied.
   *  @throws DataCloneError */
  postMessage(message: unknown, transfer: Transferable[]): void;
  /** Starts delivery.
   *  @returns a function that ends it. */
  subscribe(events: EndpointEvents): () => void;
  /** Ends the channel, and the other side with it where it can (a worker). */
  terminate?(): void;
  /** Whether `lost` tells of the other side's end however it ends. Then no Web Lock has to: in threads of Node 24 asking for one can
   *  keep the main thread waiting for a mutex of all threads, for seconds or for ever. */
  readonly seesEnd?: boolean;
}

type Listener = (event: Event) => void;

/** The part of a `Worker` that is used. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
  terminate(): void;
}

/** The part of a `DedicatedWorkerGlobalScope` that is used. */
export interface WorkerScopeLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
}

/** The part of a `MessagePort` that is used: a browser's, or one of node:worker_threads. */
export interface PortLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
  start(): void;
  close(): void;
}

/** The part of a `Worker` of node:worker_threads that is used. */
export interface ThreadLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  on(type: string, listener: (value: unknown) => void): void;
  off(type: string, listener: (value: unknown) => void): void;
  terminate(): Promise<number>;
}

interface Listening {
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
}

function listen(target: Listening, listeners: Record<string, Listener>): () => void {
  for (const type in listeners) target.addEventListener(type, listeners[type]!);
  return () => {
    for (const type in listeners) target.removeEventListener(type, listeners[type]!);
  };
}

function messageListeners(events: EndpointEvents): Record<string, Listener> {
  return {
    message: (event) => events.message((event as MessageEvent<unknown>).data),
    messageerror: (event) => events.lost("a message could not be read", event),
  };
}

/** The error behind a worker's `error` event; a script that cannot be loaded gives an event without one. */
function workerError(event: Partial<ErrorEvent>): Error {
  if (event.error instanceof Error) return event.error;
  if (!event.message) return new Error("the worker's script could not be loaded");
  return new Error(
    event.filename ? `${event.message} (${event.filename}:${event.lineno}:${event.colno})` : event.message,
  );
}

/** The page's end of a dedicated worker. */
export function workerEndpoint(worker: WorkerLike): Endpoint {
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    subscribe: (events) =>
      listen(worker, {
        ...messageListeners(events),
        error: (event) => {
          if (events.uncaught(workerError(event))) event.preventDefault();
        },
      }),
    terminate: () => worker.terminate(),
  };
}

/** The worker's end: its global scope. */
export function workerScopeEndpoint(scope: WorkerScopeLike = ownScope()): Endpoint {
  return {
    postMessage: (message, transfer) => scope.postMessage(message, transfer),
    subscribe: (events) => listen(scope, messageListeners(events)),
  };
}

/** A program with the DOM in its types takes the global object for a window; here it is a worker's. */
function ownScope(): WorkerScopeLike {
  const scope: unknown = globalThis;
  return scope as WorkerScopeLike;
}

/** The end of a thread of node:worker_threads at which it was started. Its end is seen, however it ends. */
export function threadEndpoint(thread: ThreadLike): Endpoint {
  return {
    postMessage: (message, transfer) => thread.postMessage(message, transfer),
    subscribe: (events) => {
      let thrown: unknown;
      const listeners: Record<string, (value: unknown) => void> = {
        message: (data) => events.message(data),
        messageerror: (error) => events.lost("a message could not be read", error),
        error: (error) => {
          thrown = error;
          events.uncaught(error instanceof Error ? error : new Error(String(error)));
        },
        exit: (code) => events.lost(`the thread ended with code ${String(code)}`, thrown),
      };
      for (const type in listeners) thread.on(type, listeners[type]!);
      return () => {
        for (const type in listeners) thread.off(type, listeners[type]!);
      };
    },
    terminate: () => void thread.terminate(),
    seesEnd: true,
  };
}

/** One port of a `MessageChannel` of node:worker_threads, at either end: ports close with their threads. */
export function threadPortEndpoint(port: PortLike): Endpoint {
  return { ...portEndpoint(port), seesEnd: true };
}

/** One port of a `MessageChannel`. Where the platform has the `close` event, the end of the other port is seen. */
export function portEndpoint(port: PortLike): Endpoint {
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    subscribe: (events) => {
      const unlisten = listen(port, {
        ...messageListeners(events),
        close: (event) => events.lost("the port was closed", event),
      });
      port.start();
      return unlisten;
    },
    terminate: () => port.close(),
  };
}
