import type { CheckReport, RepairOptions, RepairProgress, RepairReport, RepairStep } from "../../contracts/store.ts";
import type { EmbeddingSweepReport } from "../../contracts/embeddings.ts";
import { StorageError } from "../../errors.ts";
import { nextTurn } from "../../turns.ts";
import { checkStore, FINDINGS } from "../check.ts";
import { INDEX_FINDING, isKeptElsewhere } from "../embeddings/examine-indexes.ts";
import type { AnyVectorStore } from "../embeddings/vector-side.ts";
import { adviceFor, FILE_ADVICE } from "./advice.ts";
import { setDamagedAside } from "./damaged-tables.ts";
import { ENDING, remakeIndexes } from "./remake-indexes.ts";
import { type Remedy, REMEDIES, type RemedyParts } from "./remedies.ts";

export interface RepairParts extends RemedyParts {
  vectors: AnyVectorStore | undefined;
}

/** Looks for damage and repairs what can be. */
export async function repairStore(
  parts: RepairParts,
  options: RepairOptions & { dryRun: boolean },
): Promise<RepairReport> {
  return new Repair(parts, options).run();
}

class Repair {
  readonly #parts: RepairParts;
  readonly #options: RepairOptions & { dryRun: boolean };
  readonly #steps: RepairStep[] = [];

  constructor(parts: RepairParts, options: RepairOptions & { dryRun: boolean }) {
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<RepairReport> {
    const { dryRun } = this.#options;
    this.#tell("looking for damage");
    const found = await this.#check();
    if (isBad(found, FINDINGS.file)) {
      for (const { name, ok, detail } of found.findings) {
        if (!ok) this.#leave(name, name === FINDINGS.file ? FILE_ADVICE : detail);
      }
      return { dryRun, steps: this.#steps, sweep: null, check: found };
    }
    if (dryRun) return this.#plan(found);
    await this.#setDamagedAside();
    for (const remedy of REMEDIES) await this.#apply(remedy, found);
    const sweep = await this.#sweep();
    await this.#remakeIndexes();
    this.#tell("looking again");
    const check = await this.#check();
    await this.#breathe();
    await this.#nameWhatIsLeft(check);
    return { dryRun, steps: this.#steps, sweep, check };
  }

  async #plan(found: CheckReport): Promise<RepairReport> {
    for (const finding of found.findings) {
      const { name, ok } = finding;
      if (ok || name === FINDINGS.indexes || name.startsWith(INDEX_FINDING)) continue;
      const remedy = REMEDIES.find(({ names }) => names.includes(name));
      if (remedy !== undefined) this.#steps.push({ name, outcome: "planned", detail: remedy.does });
      else this.#leave(name, await adviceFor(this.#parts.db, finding, this.#parts.external));
    }
    // What is moved aside first cannot be looked into before that.
    if (await this.#setDamagedAside()) {
      const ofVectors = (name: string): boolean => name === FINDINGS.vectors || name === FINDINGS.indexes;
      const steps = this.#steps.filter(({ name, outcome }) => !(ofVectors(name) && outcome === "left"));
      return { dryRun: true, steps, sweep: null, check: found };
    }
    await this.#remakeIndexes();
    return { dryRun: true, steps: this.#steps, sweep: await this.#sweep(), check: found };
  }

  /** @returns whether there are such tables. */
  async #setDamagedAside(): Promise<boolean> {
    const { vectors } = this.#parts;
    if (vectors === undefined) return false;
    this.#tell("reading the tables of vectors");
    let steps: RepairStep[] = [];
    await this.#attempt([FINDINGS.vectors], async () => {
      steps = await setDamagedAside(vectors, this.#options);
      return "";
    });
    this.#steps.push(...steps);
    return steps.length > 0;
  }

  async #apply({ names, does, run }: Remedy, found: CheckReport): Promise<void> {
    const bad = names.filter((name) => isBad(found, name));
    if (bad.length === 0) return;
    this.#tell(does);
    await this.#attempt(bad, () => run(this.#parts, this.#options.signal));
  }

  async #sweep(): Promise<EmbeddingSweepReport | null> {
    const { embeddings, vectors } = this.#parts;
    if (vectors === undefined) return null;
    const doing = "sweeping embeddings";
    this.#tell(doing);
    let swept: EmbeddingSweepReport | null = null;
    await this.#attempt([FINDINGS.vectors], async () => {
      const { dryRun, signal } = this.#options;
      swept = await embeddings.sweepToItsEnd(dryRun, signal, (deleted) => this.#tell(doing, deleted));
      return "";
    });
    return swept;
  }

  /** After the sweep: what it deletes is in no new snapshot. */
  async #remakeIndexes(): Promise<void> {
    const { vectors } = this.#parts;
    if (vectors === undefined) return;
    await this.#breathe();
    try {
      this.#steps.push(...(await remakeIndexes(vectors, this.#options)));
    } catch (error) {
      this.#throwIfAborted();
      // They are kept, and made anew, by another connection.
      if (isKeptElsewhere(error)) return;
      if (!(error instanceof StorageError) || ENDING.has(error.code)) throw error;
      this.#leave(FINDINGS.indexes, `${error.message} [${error.code}]`);
    }
  }

  /** Runs one repair. That it failed is what there is to say of it, and others are tried. */
  async #attempt(names: readonly string[], repair: () => Promise<string>): Promise<void> {
    await this.#breathe();
    try {
      const detail = await repair();
      if (detail !== "") for (const name of names) this.#steps.push({ name, outcome: "repaired", detail });
    } catch (error) {
      this.#throwIfAborted();
      if (!(error instanceof StorageError) || ENDING.has(error.code)) throw error;
      for (const name of names) this.#leave(name, `the repair failed: ${error.message} [${error.code}]`);
    }
  }

  async #nameWhatIsLeft(check: CheckReport): Promise<void> {
    for (const finding of check.findings) {
      const { name, ok } = finding;
      if (ok || this.#steps.some((step) => step.name === name && step.outcome === "left")) continue;
      this.#leave(name, await adviceFor(this.#parts.db, finding, this.#parts.external));
    }
  }

  async #check(): Promise<CheckReport> {
    await this.#breathe();
    const { db, vectors, blobs, external } = this.#parts;
    return checkStore(db, vectors, { blobs: { database: blobs, external }, deep: false });
  }

  #leave(name: string, detail: string): void {
    // Several repairs may fail at the same.
    if (this.#steps.some((step) => step.name === name && step.outcome === "left")) return;
    this.#steps.push({ name, outcome: "left", detail });
  }

  #tell(doing: string, done = 0, total: number | null = null): void {
    const progress: RepairProgress = { doing, done, total };
    this.#options.onProgress?.(progress);
  }

  /** Gives a turn to searches, and to an abort that is on its way. */
  async #breathe(): Promise<void> {
    await nextTurn();
    this.#throwIfAborted();
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted !== true) return;
    const cause: unknown = signal.reason;
    if (cause instanceof StorageError && cause.code === "CLOSED") throw cause;
    const message = "the repair was ended; what is repaired stays";
    throw new StorageError("ABORTED", message, { capability: "store", operation: "repair", cause });
  }
}

function isBad({ findings }: CheckReport, name: string): boolean {
  return findings.some((finding) => finding.name === name && !finding.ok);
}
