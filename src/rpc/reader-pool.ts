import { StorageError } from "../errors.ts";
import { isLoss, Lane, type LaneThread } from "./lane.ts";
import type { Remote } from "./remote.ts";
import type { StoreThread } from "./store-thread.ts";

/** So often a read is tried that loses its thread. */
const MOST_TRIES = 2;

/** Starts the reader with this number; number 0 keeps the vector indexes. */
export type StartReader = (number: number) => Promise<LaneThread>;

/** Threads that read: each call goes to the one that has the least to do. A thread that dies is replaced, and what it was at is tried once
 *  more: a read changes nothing. */
export class ReaderPool {
  readonly #slots: readonly Slot[];
  #closed: Promise<void> | undefined;

  private constructor(slots: readonly Slot[]) {
    this.#slots = slots;
  }

  /** @param count 1 or more. */
  static async start(count: number, startReader: StartReader): Promise<ReaderPool> {
    const slots = Array.from({ length: count }, (_, number) => new Slot(() => startReader(number)));
    const started = await Promise.allSettled(slots.map((slot) => slot.lane()));
    const failed = started.find((one) => one.status === "rejected");
    if (failed === undefined) return new ReaderPool(slots);
    await Promise.allSettled(slots.map((slot) => slot.close()));
    throw failed.reason;
  }

  /** Makes a call that only reads. */
  read<T>(call: (thread: Remote<StoreThread>) => Promise<T>): Promise<T> {
    return this.#try(() => this.#leastLoaded(), call, true);
  }

  /** Makes a call to every thread that runs. */
  async each<T>(call: (thread: Remote<StoreThread>) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#slots.flatMap(({ ready }) => (ready === undefined ? [] : [ready.run(call)])));
  }

  /** Makes a call that only the keeper of the vector indexes answers. */
  askKeeper<T>(call: (thread: Remote<StoreThread>) => Promise<T>, drained: boolean): Promise<T> {
    return this.#try(() => this.#slots[0] as Slot, call, drained);
  }

  /** Hands out what a call does that only reads; begun anew it would repeat itself, so it is tried once. */
  async *stream<T>(call: (thread: Remote<StoreThread>) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    yield* (await this.#leastLoaded().lane()).stream(call);
  }

  /** Hands out what a call to the keeper of the vector indexes does; begun anew it would repeat itself, so it is tried once. */
  async *streamFromKeeper<T>(
    call: (thread: Remote<StoreThread>) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    yield* (await (this.#slots[0] as Slot).lane()).stream(call);
  }

  /** Makes a call to the keeper of the vector indexes that hands out items whenever there are some. */
  followKeeper<T>(call: (thread: Remote<StoreThread>) => AsyncIterableIterator<T>): AsyncIterableIterator<T> {
    const begun = (this.#slots[0] as Slot).lane().then((lane) => lane.follow(call));
    begun.catch(() => undefined);
    return {
      next: async () => (await begun).next(),
      return: async () => (await (await begun).return?.()) ?? { done: true, value: undefined },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Tells the keeper of vectors that were written. One that is just being replaced sees them at the next search. */
  tellKeeper(indexId: string, modelVersion: string): void {
    void this.#slots[0]?.ready?.run((thread) => thread.follow(indexId, modelVersion)).catch(() => undefined);
  }

  /** Waits for the calls at hand and ends the threads; what fails with one of them keeps the others from nothing. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const closed = await Promise.allSettled(this.#slots.map((slot) => slot.close()));
    const failed = closed.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #try<T>(choose: () => Slot, call: (thread: Remote<StoreThread>) => Promise<T>, drained: boolean): Promise<T> {
    for (let tries = 1; ; tries++) {
      const slot = choose();
      const lane = slot.ready ?? (await slot.lane());
      try {
        return await lane.run(call, drained);
      } catch (error) {
        if (tries === MOST_TRIES || slot.closed || !isLoss(error)) throw error;
        slot.lost(lane);
      }
    }
  }

  /** Of those with equally much to do the keeper is the last: it links vectors, too. */
  #leastLoaded(): Slot {
    const [keeper, ...others] = this.#slots as [Slot, ...Slot[]];
    let best = others[0] ?? keeper;
    for (const slot of [...others, keeper]) if (slot.load < best.load) best = slot;
    return best;
  }
}

/** The place of one reader. */
class Slot {
  readonly #start: () => Promise<LaneThread>;
  #lane: Lane | undefined;
  #starting: Promise<Lane> | undefined;
  #closed = false;

  constructor(start: () => Promise<LaneThread>) {
    this.#start = start;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The thread, where it runs. */
  get ready(): Lane | undefined {
    return this.#lane;
  }

  /** Calls at hand; a place without a thread has the most. */
  get load(): number {
    return this.#lane?.load ?? Number.POSITIVE_INFINITY;
  }

  /** The thread, started where there is none. */
  lane(): Promise<Lane> {
    if (this.#lane !== undefined) return Promise.resolve(this.#lane);
    // Nobody would end it.
    if (this.#closed) return Promise.reject(closed());
    this.#starting ??= this.#open().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** A thread is gone: another takes its place, now or, where that cannot be started, at the next read. */
  lost(lane: Lane): void {
    if (this.#lane !== lane) return;
    this.#lane = undefined;
    if (!this.#closed) this.lane().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#settled();
    await this.#lane?.close();
  }

  async #open(): Promise<Lane> {
    const lane = new Lane(await this.#start());
    this.#lane = lane;
    void lane.lost.then(() => this.lost(lane));
    return lane;
  }

  /** What is being started has failed or is there. */
  async #settled(): Promise<void> {
    await this.#starting?.catch(() => undefined);
  }
}

function closed(): StorageError {
  return new StorageError("CLOSED", "the store is closed", { capability: "store", operation: "read" });
}
