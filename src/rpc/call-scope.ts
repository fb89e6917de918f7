/** Something that must end with the call it belongs to. */
export interface ScopeMember {
  end(): void;
}

/**
 * The life of one call, kept on both sides alike. References in its arguments are lent: they end with the call.
 * References in its answer are given: the call lasts until all of them are released, so that the signal passed to
 * `iterate` works as long as rows are read.
 */
export class CallScope {
  /** Signals among the arguments; streams in the answer stop handing out items when one is aborted. */
  readonly signals: AbortSignal[] = [];
  readonly #members = new Set<ScopeMember>();
  #holds = 1;

  lend(member: ScopeMember): void {
    this.#members.add(member);
  }

  unlend(member: ScopeMember): void {
    this.#members.delete(member);
  }

  hold(): void {
    this.#holds++;
  }

  /** Gives up one hold; the first is the call's own. With the last everything lent ends. */
  drop(): void {
    if (--this.#holds !== 0) return;
    for (const member of this.#members) member.end();
  }
}

/** How a reference belongs to a call. */
export interface Lease {
  scope: CallScope;
  /** In its answer, instead of its arguments. */
  given: boolean;
}
