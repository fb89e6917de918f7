/** The embeddings of one model as sets and loops, to hold the real ones against. */
export class EmbeddingModel {
  /** Ids of all chunks. */
  chunks = new Set<string>();
  /** Version to the chunks with a committed embedding of it. */
  readonly committed = new Map<string, Set<string>>();
  serving: string | null = null;
  building: string | null = null;

  of(version: string): Set<string> {
    return this.committed.get(version) ?? new Set();
  }

  get visible(): string[] {
    return this.serving === null ? [] : [...this.of(this.serving)].sort();
  }

  /** Documents changed: with a chunk its embeddings go. */
  setChunks(chunks: readonly string[]): void {
    this.chunks = new Set(chunks);
    for (const [version, of] of this.committed) this.committed.set(version, of.intersection(this.chunks));
  }

  /** Whether a run of a version finds nothing to do. */
  isComplete(version: string): boolean {
    if (this.of(version).size < this.chunks.size) return false;
    return this.chunks.size === 0 || this.serving === version;
  }

  /** A version is written that is to serve at some time. */
  claim(version: string): void {
    if (version !== this.serving && version !== this.building) this.building = version;
  }

  commit(version: string, chunks: Iterable<string>): void {
    const added = [...chunks].filter((id) => this.chunks.has(id));
    this.committed.set(version, this.of(version).union(new Set(added)));
    if (added.length === 0 || this.building !== version) return;
    if (this.serving === null || this.of(this.serving).size === 0) this.#serve(version);
  }

  /** @returns whether it swapped. */
  swapWhenComplete(version: string): boolean {
    if (this.building !== version || this.of(version).size !== this.chunks.size) return false;
    this.#serve(version);
    return true;
  }

  /** A run came to its end: what was embedded serves, whatever was refused. */
  serveWithGaps(version: string): void {
    if (this.building === version && this.of(version).size > 0) this.#serve(version);
  }

  drop(version: string): void {
    if (this.serving === version) {
      this.serving = this.building;
      this.building = null;
    } else if (this.building === version) this.building = null;
    this.committed.delete(version);
  }

  /** What neither serves nor is built goes. */
  tidy(): void {
    for (const version of this.committed.keys()) {
      if (version !== this.serving && version !== this.building) this.committed.delete(version);
    }
  }

  #serve(version: string): void {
    this.serving = version;
    this.building = null;
  }
}
