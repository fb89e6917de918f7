import { describe, expect, test } from "vitest";
import { BatchSize } from "../../src/store/embeddings/batch-size.ts";
import { embeddingText } from "../../src/store/embeddings/embedding-text.ts";
import { generationOf } from "../../src/store/embeddings/generation.ts";
import { RunProgress } from "../../src/store/embeddings/progress.ts";

describe("the text that is embedded of a chunk", () => {
  test("is its headings and its text", () => {
    expect(embeddingText(["Firing", "", "Cones"], "Cone 6 melts.")).toBe("Firing > Cones\n\nCone 6 melts.");
    expect(embeddingText([], "Cone 6 melts.")).toBe("Cone 6 melts.");
    expect(embeddingText(["Firing", "Cones"], "Cones")).toBe("Firing\n\nCones");
    expect(embeddingText(["Cones"], "Cones")).toBe("Cones");
  });

  test("is cut at what an embedder takes, not within a character", () => {
    expect(embeddingText(["A"], "x".repeat(2_000_000))).toHaveLength(1_000_000);
    const cut = embeddingText([], `${"x".repeat(999_999)}😀 and more`);
    expect(cut).toHaveLength(999_999);
  });

  test("makes another version of the model when it is composed otherwise", () => {
    const embedder = { modelId: "m", modelVersion: "7", dimensions: 3 };
    expect(generationOf(embedder)).toEqual(embedder);
    expect(generationOf(embedder, 2)).toEqual({ ...embedder, modelVersion: "7+text2" });
  });
});

describe("the size of a batch", () => {
  const chunks = Array.from({ length: 1000 }, (_, n) => ({ chunkId: String(n), chunkKey: n, bytes: 1000 }));
  const limits = { embedder: 4096, vectors: 1000, dimensions: 384 };

  test("grows to what the embedder takes when it does not keep the thread", () => {
    const size = new BatchSize(limits, () => true);
    const sizes = [];
    for (let n = 0; n < 6; n++) {
      sizes.push(size.next(chunks, 0).length);
      size.learn(sizes.at(-1) ?? 0, 0);
    }
    expect(sizes).toEqual([16, 32, 64, 128, 256, 256]);
    expect(new BatchSize({ ...limits, embedder: 1 }, () => true).next(chunks, 999)).toEqual([chunks[999]]);
  });

  test("shrinks to a few milliseconds of an embedder that does", () => {
    const size = new BatchSize(limits, () => true);
    size.learn(16, 16);
    expect(size.next(chunks, 0)).toHaveLength(2);
    size.learn(4, 400);
    expect(size.next(chunks, 0)).toHaveLength(1);
    size.learn(1, 0.1);
    expect(size.next(chunks, 0)).toHaveLength(2);
  });

  test("is bounded by the bytes of texts and vectors", () => {
    const long = chunks.map((chunk) => ({ ...chunk, bytes: 200_000 }));
    expect(new BatchSize(limits, () => true).next(long, 0)).toHaveLength(2);
    const huge = chunks.map((chunk) => ({ ...chunk, bytes: 4_000_000 }));
    expect(new BatchSize(limits, () => true).next(huge, 0)).toHaveLength(1);
  });
});

describe("progress", () => {
  test("is told at most ten times a second and at the end", () => {
    let told = 0;
    const progress = new RunProgress(() => told++);
    progress.counted(0, 100_000);
    const start = performance.now();
    for (let n = 0; n < 100_000; n++) progress.stored(1);
    const elapsed = performance.now() - start;
    expect(told).toBeLessThanOrEqual(1 + elapsed / 100);
    const before = told;
    progress.tell(true);
    expect(told).toBe(before + 1);
    expect(progress.now()).toMatchObject({ done: 100_000, total: 100_000, embedded: 100_000, failed: 0, leftMs: 0 });
  });
});
