import { type CheckedChunkingPolicy, checkChunkingPolicy } from "../../contracts/check-ingest.ts";
import type { ChunkingPolicy } from "../../contracts/store.ts";
import { hash32 } from "../ids.ts";

/** Checks a policy and fills in its defaults: 256 tokens aimed at, 32 repeated, 1024 at most.
 *  @throws StorageError INVALID_INPUT, naming the field */
export function chunkingPolicy(policy: ChunkingPolicy = {}): CheckedChunkingPolicy {
  return checkChunkingPolicy({ capability: "ingest", operation: "chunk" }, policy);
}

/** Returns the hash of a policy: the first 32 hex digits of the blake3 of its canonical JSON (RFC 8785). */
export function policyHash(policy: CheckedChunkingPolicy): string {
  const { maxTokens, overlapTokens, targetTokens } = policy;
  return hash32(JSON.stringify({ maxTokens, overlapTokens, targetTokens }));
}
