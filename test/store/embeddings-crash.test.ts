import { describe, test } from "vitest";
import { crashRounds } from "../support/crash-rounds.ts";
import { hookedVectors } from "../support/vector-stores.ts";

/** Rounds of both ways together: 500 in `LODESTORE_CRASH_ROUNDS=500 npx vitest run test/store/embeddings-crash.test.ts`. */
const ROUNDS = Number(process.env["LODESTORE_CRASH_ROUNDS"] ?? 40);

describe.concurrent.each([
  { way: "in one transaction", apart: false },
  { way: "phase by phase", apart: true },
])("embeddings written $way", ({ apart }) => {
  test("are whole whenever the process is killed", { timeout: 60_000 + ROUNDS * 2000 }, async () => {
    await crashRounds(ROUNDS / 2, {
      order: { apart },
      longestMs: 60,
      vectors: (db) => hookedVectors(db, apart, () => {}),
    });
  });
});
