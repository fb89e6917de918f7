import { expect, test } from "vitest";
import { crashRounds } from "../support/crash-rounds.ts";
import { hookedLanceVectors, lanceFolder } from "../support/lance-vectors.ts";

/** 500 in `LODESTORE_CRASH_ROUNDS=500 npx vitest run test/store/embeddings-crash-lance.test.ts`. */
const ROUNDS = Number(process.env["LODESTORE_CRASH_ROUNDS"] ?? 12);

test(
  "embeddings in Lance tables are whole whenever the process is killed",
  { timeout: 60_000 + ROUNDS * 4000 },
  async () => {
    const killed = await crashRounds(ROUNDS, {
      order: { apart: true, lance: true },
      longestMs: 400,
      vectors: (db, file) => hookedLanceVectors(db, lanceFolder(file), () => {}),
    });
    expect(killed.size).toBeGreaterThan(1);
  },
);
