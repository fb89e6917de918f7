import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireEmbedder } from "../../src/contracts/check-embedder.ts";
import type { Embedder, EmbedKind } from "../../src/contracts/embedder.ts";

/** An embedder that is opened for one test. */
export interface OpenEmbedder {
  embedder: Embedder;
  close(): Promise<void>;
}

const DOCUMENT = { kind: "document" } as const;
const ODD_TEXTS = ["", " \n\t", "!?", "→ ← ↑", "🦊🦊", "数据库", "\ud83e", "a\0b", "é e\u0301", "x".repeat(20_000)];

/** What every embedder does. @param open Opens one that answers within a second; texts are English words. */
export function embedderConformance(driver: string, open: () => Promise<OpenEmbedder>): void {
  describe(`embedder ${driver}`, () => {
    let opened: OpenEmbedder;
    let embedder: Embedder;
    beforeEach(async () => {
      opened = await open();
      embedder = opened.embedder;
    });
    afterEach(() => opened.close());

    /** One call per piece of `maxBatch`. */
    async function embedAll(texts: readonly string[], kind: EmbedKind = "document"): Promise<Float32Array[]> {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < texts.length; start += embedder.maxBatch) {
        vectors.push(...(await embedder.embed(texts.slice(start, start + embedder.maxBatch), { kind })));
      }
      return vectors;
    }

    test("has a model id, a version, dimensions and a batch size within their bounds", () => {
      expect(requireEmbedder({ capability: "embedder", operation: "test" }, "embedder", embedder)).toBe(embedder);
    });

    test("returns one vector per text, of its dimensions, finite and not zero", async () => {
      const vectors = await embedAll(["quick fox", "lazy dog", "brown fox"]);
      expect(vectors).toHaveLength(3);
      for (const vector of vectors) {
        expect(vector).toBeInstanceOf(Float32Array);
        expect(vector).toHaveLength(embedder.dimensions);
        expect(vector.every(Number.isFinite)).toBe(true);
        expect(vector.some((value) => value !== 0)).toBe(true);
      }
    });

    test("keeps the order: in a batch every text has the vector that it has alone", async () => {
      const texts = ["fox", "dog dog dog lazy", "quick brown", "fox"];
      const together = await embedAll(texts);
      for (const [index, text] of texts.entries()) {
        const [alone] = await embedder.embed([text], DOCUMENT);
        expect(distance(alone, together[index])).toBeLessThan(1e-5);
      }
      expect(distance(together[0], together[1])).toBeGreaterThan(0.01);
    });

    test("gives the same vector for the same text every time, for documents and for queries", async () => {
      for (const kind of ["document", "query"] as const) {
        const [first] = await embedder.embed(["quick brown fox"], { kind });
        const [second] = await embedder.embed(["quick brown fox"], { kind });
        expect(first).toEqual(second);
      }
    });

    test("returns nothing for no texts", async () => {
      expect(await embedder.embed([], DOCUMENT)).toEqual([]);
    });

    test("takes a full batch and refuses one text more by name", async () => {
      const full = Array.from({ length: embedder.maxBatch }, (_, index) => (index % 2 === 0 ? "fox" : "dog"));
      expect(await embedder.embed(full, DOCUMENT)).toHaveLength(embedder.maxBatch);
      await expect(embedder.embed([...full, "fox"], DOCUMENT)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        capability: "embedder",
        operation: "embed",
        message: expect.stringContaining("texts"),
      });
    });

    test.each(ODD_TEXTS.map((text) => [JSON.stringify(text).slice(0, 20), text]))(
      "has a finite vector for %s",
      async (_, text) => {
        const [vector] = await embedder.embed([text], DOCUMENT);
        expect(vector?.every(Number.isFinite)).toBe(true);
        expect(vector?.some((value) => value !== 0)).toBe(true);
      },
    );

    test("hands its vectors over, each with a buffer of its own: changing one changes no other and none to come", async () => {
      const [first, second] = await embedAll(["quick fox", "quick fox"]);
      expect(first?.buffer.byteLength).toBe(4 * embedder.dimensions);
      const before = Array.from(second ?? []);
      first?.fill(7);
      expect(Array.from(second ?? [])).toEqual(before);
      const [third] = await embedder.embed(["quick fox"], DOCUMENT);
      expect(distance(third, second)).toBeLessThan(1e-5);
    });

    test("answers calls at the same time, each with its own vectors", async () => {
      const texts = ["fox", "dog", "quick", "brown", "lazy"];
      const alone = await embedAll(texts);
      const together = await Promise.all(texts.map((text) => embedder.embed([text], DOCUMENT)));
      for (const [index, vectors] of together.entries()) {
        expect(distance(vectors[0], alone[index])).toBeLessThan(1e-5);
      }
    });

    test.each([
      ["what is no list", "fox", DOCUMENT, "texts"],
      ["what is no text", ["fox", 7], DOCUMENT, "texts[1]"],
      ["a text of 1,000,001 characters", ["x".repeat(1_000_001)], DOCUMENT, "texts[0]"],
      ["no options", ["fox"], undefined, "options"],
      ["no kind", ["fox"], {}, "options.kind"],
      ["an unknown kind", ["fox"], { kind: "passage" }, "options.kind"],
      ["an unknown option", ["fox"], { kind: "query", batch: 3 }, "batch"],
      ["what is no signal", ["fox"], { kind: "query", signal: {} }, "options.signal"],
    ])("refuses %s", async (_, texts, options, field) => {
      await expect(embedder.embed(texts as string[], options as { kind: EmbedKind })).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining(field),
      });
    });

    test("says ABORTED with the reason where the signal fired before the call", async () => {
      const reason = new Error("enough");
      const call = embedder.embed(["fox"], { ...DOCUMENT, signal: AbortSignal.abort(reason) });
      await expect(call).rejects.toMatchObject({ code: "ABORTED", capability: "embedder", cause: reason });
      const none = embedder.embed([], { ...DOCUMENT, signal: AbortSignal.abort(reason) });
      await expect(none).rejects.toMatchObject({ code: "ABORTED" });
    });

    test("is ABORTED or whole where the signal fires during the call, and goes on working", async () => {
      const stop = new AbortController();
      const call = embedder.embed(["fox", "dog"].slice(0, embedder.maxBatch), { ...DOCUMENT, signal: stop.signal });
      stop.abort();
      const [outcome] = await Promise.allSettled([call]);
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "ABORTED" });
      else expect(outcome.value).toHaveLength(Math.min(2, embedder.maxBatch));
      expect(await embedder.embed(["fox"], DOCUMENT)).toHaveLength(1);
    });

    test("once closed stays closed, where it can be closed", async ({ skip }) => {
      skip(embedder.close === undefined, "it holds nothing that could be closed");
      const running = embedder.embed(["fox"], DOCUMENT);
      await Promise.all([embedder.close?.(), embedder.close?.()]);
      expect(await running).toHaveLength(1);
      await expect(embedder.embed(["fox"], DOCUMENT)).rejects.toMatchObject({ code: "CLOSED" });
    });
  });
}

function distance(left: Float32Array | undefined, right: Float32Array | undefined): number {
  if (left === undefined || right === undefined || left.length !== right.length) return Number.NaN;
  return Math.hypot(...left.map((value, index) => value - (right[index] ?? Number.NaN)));
}
