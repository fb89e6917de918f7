import type { StorageError } from "../errors.ts";
import type { Lease, ScopeMember } from "./call-scope.ts";

/** An object that one side holds for the other. */
export interface Reference {
  /** Lets go: the call is over, the other side released it, or (with `lost`) the connection ended. */
  end(lost?: StorageError): void;
}

interface Row extends ScopeMember {
  reference: Reference;
  lease: Lease;
}

/** The references of one direction, by id, each bound to the call it came with. */
export class ReferenceTable {
  readonly #rows = new Map<number, Row>();

  get size(): number {
    return this.#rows.size;
  }

  add(id: number, reference: Reference, lease: Lease): void {
    const row: Row = { reference, lease, end: () => this.remove(id) };
    this.#rows.set(id, row);
    if (lease.given) lease.scope.hold();
    else lease.scope.lend(row);
  }

  get(id: number): Reference | undefined {
    return this.#rows.get(id)?.reference;
  }

  has(id: number): boolean {
    return this.#rows.has(id);
  }

  /** Ends the reference; a call that lasted only for it ends too. */
  remove(id: number, lost?: StorageError): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    row.reference.end(lost);
    if (row.lease.given) row.lease.scope.drop();
    else row.lease.scope.unlend(row);
  }

  clear(lost: StorageError): void {
    for (const id of this.#rows.keys()) this.remove(id, lost);
  }
}
