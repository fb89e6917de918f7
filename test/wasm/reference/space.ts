import { type Code, type Kind, type Metric, type Query, codeAsQuery, distance, ownSquare } from "./arithmetic.ts";
import type { ReferenceNode } from "./reference-node.ts";

/** Distances of an index, and how many were computed. */
export class Space {
  readonly metric: Metric;
  readonly kind: Kind;
  evaluations = 0;

  constructor(metric: Metric, kind: Kind) {
    this.metric = metric;
    this.kind = kind;
  }

  queryOf(node: ReferenceNode): Query {
    return codeAsQuery(node.code, this.metric, this.kind);
  }

  ownSquare(node: ReferenceNode): number {
    return ownSquare(node.code, this.metric, this.kind);
  }

  /** Distance that the counter counts. */
  distance(query: Query, code: Code): number {
    this.evaluations++;
    return distance(query, code, this.metric, this.kind);
  }

  /** Whether one of `chosen` is nearer to `node` than `limit`. Four distances are computed at a time, and all are counted. */
  occluded(node: ReferenceNode, limit: number, chosen: ReferenceNode[]): boolean {
    if (chosen.length === 0) return false;
    this.evaluations += chosen.length;
    const query = this.queryOf(node);
    const most = Math.fround(limit - this.ownSquare(node));
    return chosen.some((other) => distance(query, other.code, this.metric, this.kind) <= most);
  }
}
