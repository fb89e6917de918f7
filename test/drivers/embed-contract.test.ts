import { describe, expect, test } from "vitest";
import { checkEmbeddings, requireEmbedder } from "../../src/contracts/check-embedder.ts";

const SITE = { capability: "store", operation: "openStore" } as const;
const embed = async (): Promise<Float32Array[]> => [];
const good = { modelId: "m", modelVersion: "1", dimensions: 2, maxBatch: 1, embed };

describe("an embedder handed in", () => {
  test("is returned as it is where it has everything, also as an object of a class", () => {
    class Own {
      readonly modelId = "m".repeat(200);
      readonly modelVersion = "v".repeat(100);
      readonly dimensions = 4096;
      readonly maxBatch = 4096;
      readonly embed = embed;
      async close(): Promise<void> {}
    }
    const own = new Own();
    expect(requireEmbedder(SITE, "embedder", own)).toBe(own);
    expect(requireEmbedder(SITE, "embedder", good)).toBe(good);
  });

  test.each([
    ["embedder", null],
    ["embedder", "hashing"],
    ["embedder.modelId", { ...good, modelId: "" }],
    ["embedder.modelId", { ...good, modelId: "m".repeat(201) }],
    ["embedder.modelVersion", { ...good, modelVersion: 1 }],
    ["embedder.modelVersion", { ...good, modelVersion: "v".repeat(101) }],
    ["embedder.dimensions", { ...good, dimensions: 0 }],
    ["embedder.dimensions", { ...good, dimensions: 4097 }],
    ["embedder.maxBatch", { ...good, maxBatch: 4097 }],
    ["embedder.embed", { ...good, embed: undefined }],
    ["embedder.close", { ...good, close: true }],
  ])("is refused for its %s, by name", (field, value) => {
    expect(() => requireEmbedder(SITE, "embedder", value)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", ...SITE, message: expect.stringContaining(`${field} got`) }),
    );
  });
});

describe("what an embedder answered", () => {
  const vector = (...values: number[]): Float32Array => Float32Array.from(values);

  test("is returned as it is where it is right", () => {
    const vectors = [vector(1, 0), vector(0, 0)];
    expect(checkEmbeddings(good, ["a", "b"], vectors)).toBe(vectors);
  });

  test.each([
    ["no list", undefined, "no list"],
    ["too few vectors", [vector(1, 0)], "1 vectors for 2 texts"],
    ["a plain list of numbers", [vector(1, 0), [1, 0]], "vector 1 is no Float32Array"],
    ["other dimensions", [vector(1, 0), vector(1)], "vector 1 has 1 values, not 2"],
    ["NaN", [vector(1, Number.NaN), vector(1, 0)], "vector 0 has NaN at position 1"],
    ["infinity", [vector(1, 0), vector(-Infinity, 0)], "vector 1 has -Infinity at position 0"],
  ])("is DRIVER with model and place for %s", (_, vectors, message) => {
    expect(() => checkEmbeddings(good, ["a", "b"], vectors)).toThrow(
      expect.objectContaining({ code: "DRIVER", message: expect.stringMatching(new RegExp(`model "m".*${message}`)) }),
    );
  });
});
