import { expect, test } from "vitest";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";
import { embedderConformance } from "../conformance/embedder.ts";

embedderConformance("embed-hashing in a browser", async () => ({
  embedder: createHashingEmbedder(),
  close: async () => {},
}));

test("gives a browser the very vectors that Node has (pinned in embed-hashing.test.ts)", async () => {
  const texts = ["Größe 42", "数据库的索引"];
  const vectors = await createHashingEmbedder({ dimensions: 8 }).embed(texts, { kind: "document" });
  expect(vectors.map((vector) => Array.from(vector))).toEqual([
    [-0.4466854929924011, -0.17950525879859924, 0, 0.400770366191864, 0, 0, -0.7138657569885254, 0.3130953907966614],
    [
      -0.07105600833892822, -0.02377905137836933, -0.2553780674934387, 0.23188017308712006, 0.511037290096283,
      0.02349790744483471, 0.7666965126991272, 0.16082414984703064,
    ],
  ]);
});
