import { blake3 } from "@noble/hashes/blake3.js";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assetContentHash, assetId, blockId, chunkId, documentId, embeddingId, indexId } from "../../src/store/ids.ts";

const DOCUMENT = "aabbccdd00112233445566778899aabb";

describe("the pinned vectors", () => {
  test("an asset", () => {
    expect(assetId("deadbeef")).toBe("cec9353553efb238a7919d38d3e148f1");
  });

  test("a document", () => {
    const id = documentId({
      assetId: "6cb0ef0eb89c63b8b6e76ec53dca6e7d",
      parserVersion: "pulldown-cmark-0.x",
      workspacePath: "notes/test.md",
    });
    expect(id).toBe("8547fe58cb42d593fd761d77242401db");
  });

  test("a block", () => {
    const id = blockId({
      documentId: DOCUMENT,
      kind: "paragraph",
      headingPath: ["Intro"],
      ordinal: 3,
      span: { kind: "line", start: 10, end: 20 },
    });
    expect(id).toBe("8a7bf22de7ec3293a792028c829b3812");
  });

  test("a chunk", () => {
    const id = chunkId({
      documentId: DOCUMENT,
      blockIds: ["a1b2c3d4e5f6789012345678abcdef00"],
      chunkerVersion: "greedy-1.0",
      policyHash: "abc123",
    });
    expect(id).toBe("8809f627777fe7ca5c4433b97dd88ce9");
  });

  test("an embedding", () => {
    const id = embeddingId({
      chunkId: "d1e2f3a4b5c6789012345678aabbccdd",
      modelId: "BAAI/bge-small-en",
      modelVersion: "v1",
      dimensions: 384,
    });
    expect(id).toBe("71992c457a5da39880a6d17d646ed0fd");
  });

  test("an index", () => {
    const id = indexId({
      collection: "default",
      indexKind: "hnsw",
      indexVersion: "v1",
      indexParamsHash: "xyz",
      embeddingModel: "BAAI/bge-small-en",
      dimensions: 384,
    });
    expect(id).toBe("e733ee2f9936f0e1ac5143cdbf0f2b54");
  });
});

test("the content hash is the whole blake3 of the bytes", () => {
  expect(assetContentHash(new Uint8Array())).toBe("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
});

describe("every id is the blake3 of canonical JSON, whatever its parts hold", () => {
  const text = fc.string({ unit: "grapheme" });
  const texts = fc.array(text, { maxLength: 5 });
  const whole = fc.nat();

  test("blocks", () => {
    fc.assert(
      fc.property(text, texts, whole, whole, whole, (doc, headingPath, ordinal, start, end) => {
        const span = { kind: "line" as const, start, end };
        expect(blockId({ documentId: doc, kind: "code", headingPath, ordinal, span })).toBe(
          reference({
            kind: "block",
            doc_id: doc,
            block_kind: "code",
            heading_path: headingPath,
            ordinal,
            source_span: span,
          }),
        );
      }),
    );
  });

  test("documents and assets", () => {
    fc.assert(
      fc.property(text, text, text, (asset, parserVersion, workspacePath) => {
        expect(assetId(asset)).toBe(reference({ kind: "asset", asset_blake3: asset }));
        expect(documentId({ assetId: asset, parserVersion, workspacePath })).toBe(
          reference({ kind: "doc", asset_id: asset, parser_version: parserVersion, workspace_path: workspacePath }),
        );
      }),
    );
  });

  test("chunks and embeddings", () => {
    fc.assert(
      fc.property(text, texts, text, text, whole, (doc, blockIds, version, hash, dimensions) => {
        expect(chunkId({ documentId: doc, blockIds, chunkerVersion: version, policyHash: hash })).toBe(
          reference({ kind: "chunk", doc_id: doc, block_ids: blockIds, chunker_version: version, policy_hash: hash }),
        );
        expect(embeddingId({ chunkId: doc, modelId: version, modelVersion: hash, dimensions })).toBe(
          reference({ kind: "embedding", chunk_id: doc, model_id: version, model_version: hash, dimensions }),
        );
      }),
    );
  });
});

test("a fraction is refused, as JSON writers print it differently", () => {
  const identity = { chunkId: "c", modelId: "m", modelVersion: "1" };
  expect(() => embeddingId({ ...identity, dimensions: 1.5 })).toThrow("an id takes whole numbers, got 1.5");
});

function reference(value: object): string {
  const bytes = blake3(new TextEncoder().encode(canonicalize(value)));
  return Buffer.from(bytes).toString("hex").slice(0, 32);
}
