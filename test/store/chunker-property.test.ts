import fc from "fast-check";
import { expect, test } from "vitest";
import type { BlockKind } from "../../src/contracts/documents.ts";
import { chunkBlocks } from "../../src/store/ingest/chunker.ts";
import type { IdentifiedBlock } from "../../src/store/ingest/chunk-pieces.ts";
import { estimateTokens } from "../../src/store/ingest/token-estimate.ts";

const word = fc.oneof(
  fc.stringMatching(/^[A-Za-z]{1,14}$/),
  fc.constantFrom(
    "数据库很快。",
    "データ",
    "e.g.",
    "end.",
    "Really?",
    "42",
    "👩‍👩‍👧",
    "- ",
    "x".repeat(300),
    "字".repeat(90),
  ),
);
const line = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(" "));
const body = fc.record({
  kind: fc.constantFrom<BlockKind>("paragraph", "list", "code", "table", "quote", "html", "footnote"),
  lines: fc.array(line, { minLength: 1, maxLength: 12 }),
  depth: fc.constant(0),
});
const heading = fc.record({
  kind: fc.constant<BlockKind>("heading"),
  lines: fc.tuple(fc.stringMatching(/^[A-Za-z]{1,14}$/)),
  depth: fc.integer({ min: 1, max: 6 }),
});
const document = fc.array(fc.oneof({ weight: 3, arbitrary: body }, { weight: 1, arbitrary: heading }), {
  maxLength: 25,
});
const policy = fc
  .tuple(fc.integer({ min: 32, max: 200 }), fc.nat({ max: 16 }), fc.nat({ max: 300 }))
  .map(([targetTokens, overlapTokens, more]) => ({ targetTokens, overlapTokens, maxTokens: targetTokens + more }));

/** Blocks as a parser would make them, one blank line between two. */
function identified(parts: readonly { kind: BlockKind; lines: readonly string[]; depth: number }[]): IdentifiedBlock[] {
  let at = 1;
  const open: { depth: number; text: string }[] = [];
  return parts.map(({ kind, lines, depth }, ordinal) => {
    if (kind === "heading") {
      while (open.length > 0 && open.at(-1)!.depth >= depth) open.pop();
      open.push({ depth, text: lines[0]! });
    }
    const block: IdentifiedBlock = {
      id: `b${ordinal}`,
      kind,
      headingPath: open.map(({ text }) => text),
      span: { kind: "line", start: at, end: at + lines.length - 1 },
      text: lines.join("\n"),
      lines: lines.map((_, index) => at + index),
    };
    if (kind === "heading") block.depth = depth;
    at += lines.length + 1;
    return block;
  });
}

const bare = (text: string): string => text.replace(/\s+/g, "");

test("every block is in the chunks, whole and in order, exactly once but for the overlap", () => {
  fc.assert(
    fc.property(document, policy, (parts, rules) => {
      const blocks = identified(parts);
      const chunks = chunkBlocks("d", blocks, { ...rules, overlapTokens: 0 });
      const ids = chunks.flatMap((chunk) => chunk.blockIds);
      expect([...new Set(ids.map((id) => id.split("/")[0]))]).toEqual(blocks.map((block) => block.id));
      expect(new Set(ids).size).toBe(ids.length);
      for (const block of blocks) {
        const holders = chunks.filter((chunk) => chunk.blockIds.some((id) => id.split("/")[0] === block.id));
        const held = bare(holders.map((chunk) => chunk.text).join(""));
        if (block.kind === "heading") {
          expect(holders).toHaveLength(1);
          expect([...holders[0]!.headingPath, holders[0]!.text]).toContain(block.text);
        } else if (block.kind === "table") {
          for (const row of block.text.split("\n")) {
            if (estimateTokens(row) * 2 <= rules.maxTokens) expect(held).toContain(bare(row));
          }
        } else {
          expect(held).toContain(bare(block.text));
        }
      }
    }),
  );
});

test("no chunk is above the limit, and its tokens are those of its text", () => {
  fc.assert(
    fc.property(document, policy, (parts, rules) => {
      for (const chunk of chunkBlocks("d", identified(parts), rules)) {
        expect(chunk.tokenCount).toBeLessThanOrEqual(rules.maxTokens);
        // Joining lines of wide characters drops a line end, which may join two runs: never more tokens than counted.
        expect(estimateTokens(chunk.text)).toBeLessThanOrEqual(chunk.tokenCount);
      }
    }),
  );
});

test("ids are unique, ordinals count up, spans lie in the document and only go on", () => {
  fc.assert(
    fc.property(document, policy, (parts, rules) => {
      const blocks = identified(parts);
      const chunks = chunkBlocks("d", blocks, rules);
      expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(chunks.length);
      chunks.forEach((chunk, index) => {
        expect(chunk.ordinal).toBe(index);
        expect(chunk.span.start).toBeGreaterThanOrEqual(1);
        expect(chunk.span.start).toBeLessThanOrEqual(chunk.span.end);
        expect(chunk.span.end).toBeLessThanOrEqual(blocks.at(-1)!.span.end);
        expect(chunk.span.end).toBeGreaterThanOrEqual(chunks[index - 1]?.span.end ?? 0);
      });
    }),
  );
});

test("a chunk holds blocks of one section only, and small code whole", () => {
  fc.assert(
    fc.property(document, policy, (parts, rules) => {
      const blocks = identified(parts);
      const byId = new Map(blocks.map((block) => [block.id, block]));
      for (const chunk of chunkBlocks("d", blocks, rules)) {
        for (const id of chunk.blockIds) {
          const block = byId.get(id.split("/")[0]!)!;
          if (block.kind !== "heading") expect(block.headingPath).toEqual(chunk.headingPath);
          else expect(chunk.headingPath.slice(0, block.headingPath.length)).toEqual(block.headingPath);
          if (id.includes("/") && block.kind === "code")
            expect(estimateTokens(block.text)).toBeGreaterThan(rules.maxTokens);
        }
      }
    }),
  );
});

test("the same blocks and policy give the same chunks", () => {
  fc.assert(
    fc.property(document, policy, (parts, rules) => {
      expect(chunkBlocks("d", identified(parts), rules)).toEqual(chunkBlocks("d", identified(parts), rules));
    }),
    { numRuns: 20 },
  );
});
