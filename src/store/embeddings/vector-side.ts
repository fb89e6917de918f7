import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type {
  TransactionalVectorStore,
  VectorCapabilities,
  VectorMetric,
  VectorStore,
  VectorTable,
  VectorTableWriter,
} from "../../contracts/vectors.ts";

/** A vector store of either kind: one that takes part in SQL transactions, or one that commits on its own. */
export type AnyVectorStore = VectorStore & Partial<Pick<TransactionalVectorStore, "over">>;

/** The vector store as the two-phase writes see it. */
export class VectorSide {
  readonly store: AnyVectorStore;
  #capabilities: Promise<VectorCapabilities> | undefined;
  #tables: readonly VectorTable[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: AnyVectorStore) {
    this.store = store;
  }

  capabilities(): Promise<VectorCapabilities> {
    this.#capabilities ??= this.store.capabilities();
    return this.#capabilities;
  }

  /** Looks for the tables anew: some may be gone. */
  forgetTables(): void {
    this.#tables = [];
  }

  /** Returns how to write inside a SQL transaction, or `undefined` for a store that commits on its own. */
  async writerOver(): Promise<((tx: SqlExecutor) => VectorTableWriter) | undefined> {
    const { transactional } = await this.capabilities();
    const { store } = this;
    return transactional && store.over !== undefined ? (tx) => store.over!(tx) : undefined;
  }

  /** Returns the table of a model, if there is one. */
  async table({ modelId, dimensions }: Omit<EmbeddingGeneration, "modelVersion">): Promise<VectorTable | undefined> {
    const find = (): VectorTable | undefined =>
      this.#tables.find((one) => one.modelId === modelId && one.dimensions === dimensions);
    const known = find();
    if (known !== undefined) return known;
    this.#tables = await this.store.tables();
    return find();
  }

  /** Returns the table of a model, making it when there is none. @param metric Where it is not said, the table's own. */
  async ensureTable({ modelId, dimensions }: EmbeddingGeneration, metric?: VectorMetric): Promise<VectorTable> {
    const known = await this.table({ modelId, dimensions });
    if (known !== undefined && (metric ?? known.metric) === known.metric) return known;
    return this.store.ensureTable({ modelId, dimensions, metric: metric ?? "cosine" });
  }

  /** Runs `work` when every earlier one has settled. A store that commits on its own needs it: what one write puts in, no sweep
   *  may take for left behind. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
