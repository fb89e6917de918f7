import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fixtureVector, generateFixture, lhv1Fixtures } from "../../scripts/generate-lhv1-fixture.ts";
import { xxh64 } from "../../src/formats/xxh64.ts";

// What stands in wasm/FORMAT.md, read from there or written down once more: nothing here is what reads snapshots in the library
// but the hash.
const document = readFileSync(new URL("../../wasm/FORMAT.md", import.meta.url), "utf8");
const readFixture = (file: string): Buffer => readFileSync(new URL(`../fixtures/lhv1/${file}`, import.meta.url));

const NONE = 0xffffffff;
const WAITS = 254;

/** The header fields of the document's table: name, type and offset. */
function headerFields(): { name: string; type: "u8" | "u16" | "u32"; offset: number }[] {
  return [...document.matchAll(/^\| (\d+) +\| (u8|u16|u32) +\| `(\w+)` +\|/gmu)].map(([, offset, type, name]) => ({
    name: name as string,
    type: type as "u8" | "u16" | "u32",
    offset: Number(offset),
  }));
}

/** A section taken apart by the document. */
interface ReadSection {
  header: Record<string, number>;
  levels: number[];
  labels: number[];
  /** Links of each node, layer by layer. */
  links: number[][][];
  scales: number[];
  offsets: number[];
  codes: number[][];
}

const up = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

function readSection(section: Buffer): ReadSection {
  const read = {
    u8: (at: number) => section.readUInt8(at),
    u16: (at: number) => section.readUInt16LE(at),
    u32: (at: number) => section.readUInt32LE(at),
  };
  const header: Record<string, number> = {};
  for (const { name, type, offset } of headerFields()) header[name] = read[type](offset);
  const {
    count: n,
    dimensions,
    kind,
    m,
    blocks,
    stride,
  } = header as Record<"count" | "dimensions" | "kind" | "m" | "blocks" | "stride", number>;
  const levelsAt = 64;
  const labelsAt = up(levelsAt + n, 8);
  const uppersAt = up(labelsAt + 4 * n, 8);
  const recordsAt = up(uppersAt + 4 * m * blocks, 8);
  expect(section.length).toBe(recordsAt + stride * n);
  const padded = up(dimensions, 16);
  const first = m === 0 ? 0 : 2 * m - 2;
  const codeAt = 8 + 4 * first;
  expect(stride).toBe(up(codeAt + (kind === 1 ? padded : 4 * padded), m === 0 ? 16 : 64));
  expect(section.subarray(28, 64).every((byte) => byte === 0)).toBe(true);

  const list = (at: number, places: number): number[] => {
    const all = Array.from({ length: places }, (_, i) => section.readUInt32LE(at + 4 * i));
    const end = all.indexOf(NONE);
    if (end >= 0) expect(all.slice(end).every((link) => link === NONE)).toBe(true);
    return end < 0 ? all : all.slice(0, end);
  };
  const nodes = Array.from({ length: n }, (_, node) => node);
  const levels = nodes.map((node) => section.readUInt8(levelsAt + node));
  let block = uppersAt;
  const links = nodes.map((node) => {
    const level = levels[node] as number;
    const layers = [list(recordsAt + node * stride + 8, first)];
    const top = level === WAITS ? 0 : level;
    for (let layer = 1; layer <= top; layer++, block += 4 * m) layers.push(list(block, m));
    return layers;
  });
  expect(block).toBe(uppersAt + 4 * m * blocks);
  return {
    header,
    levels,
    labels: nodes.map((node) => section.readUInt32LE(labelsAt + 4 * node)),
    links,
    scales: nodes.map((node) => section.readFloatLE(recordsAt + node * stride)),
    offsets: nodes.map((node) => section.readFloatLE(recordsAt + node * stride + 4)),
    codes: nodes.map((node) => {
      const at = recordsAt + node * stride + codeAt;
      const end = recordsAt + (node + 1) * stride;
      const code = Array.from({ length: padded }, (_, i) =>
        kind === 1 ? section.readInt8(at + i) : section.readFloatLE(at + 4 * i),
      );
      expect(code.slice(dimensions).every((value) => value === 0)).toBe(true);
      expect(section.subarray(at + (kind === 1 ? padded : 4 * padded), end).every((byte) => byte === 0)).toBe(true);
      return code.slice(0, dimensions);
    }),
  };
}

/** The nearest whole number, ties to even. */
function nearest(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A vector as the document says that a record holds it. */
function encoded(
  vector: Float32Array,
  metric: string,
  kind: number,
): { scale: number; offset: number; code: number[] } {
  let square = 0;
  for (const value of vector) square += value * value;
  const values = metric === "cosine" ? vector.map((value) => value * (1 / Math.sqrt(square))) : vector;
  if (kind === 0) return { scale: 1, offset: 0, code: [...values] };
  const scale = Math.fround(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
  const code = Array.from(values, (value) => nearest(Math.fround(value / scale)) + 0);
  const sum = code.reduce((total, value) => total + value * value, 0);
  return { scale, offset: metric === "l2" ? Math.fround(scale * scale * sum) : 0, code };
}

test("the document names every field of the header", () => {
  const names = ["magic", "count", "dimensions", "metric", "kind", "m", "entry", "blocks", "stride"];
  expect(headerFields().map(({ name }) => name)).toEqual(names);
});

const sections = lhv1Fixtures.flatMap((fixture) => [
  { ...fixture, which: "as it was written once", bytes: readFixture(fixture.file) },
  { ...fixture, which: "as it is written now", bytes: Buffer.from(generateFixture(fixture)) },
]);

describe.each(sections)("$file by the document, $which,", (fixture) => {
  const { bytes, dimensions, metric, quantization, count, pending } = fixture;
  const length = bytes.readUInt32BE(4);
  const envelope = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<string, unknown>;
  const graph = bytes.subarray(8 + length);
  const hash = (content: Uint8Array): string => xxh64(content).toString(16).padStart(16, "0");

  test("has the envelope that is described, and no other field", () => {
    expect(bytes.toString("latin1", 0, 4)).toBe("LHV1");
    const named = [...document.matchAll(/^\| ((?:`[a-zA-Z.]+`(?:, )?)+) +\|/gmu)].flatMap(([, cell]) =>
      [...(cell as string).matchAll(/`([a-zA-Z.]+)`/gu)].map(([, name]) => name as string),
    );
    const flat = Object.entries(envelope).flatMap(([key, value]) =>
      typeof value === "object" && value !== null ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key],
    );
    const listed = named.map((name) => (name.startsWith(".") ? `parameters${name}` : name));
    expect(listed.toSorted()).toEqual(flat.toSorted());
    expect(envelope).toMatchObject({
      format: "lodestore-hnsw",
      formatVersion: 1,
      dimensions,
      metric,
      quantization,
      count,
    });
    expect(envelope["graph"]).toEqual({ encoding: "hnsw-1", byteLength: graph.length, checksum: hash(graph) });
    const { checksum, ...unsigned } = envelope;
    const canonical = JSON.stringify(unsigned, (_key, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
    expect(hash(new TextEncoder().encode(canonical))).toBe(checksum);
  });

  test("has a header that fits it", () => {
    const { header, levels } = readSection(graph);
    const linked = levels.filter((level) => level !== WAITS);
    expect(header).toMatchObject({
      magic: 0x3147484c,
      count,
      dimensions,
      metric: ["cosine", "dot", "l2"].indexOf(metric),
      kind: ["f32", "sq8"].indexOf(quantization),
      m: 4,
      blocks: linked.reduce((sum, level) => sum + level, 0),
    });
    expect(linked).toHaveLength(count - pending);
    expect(Math.max(0, ...linked)).toBeLessThanOrEqual(15);
    if (linked.length === 0) expect(header["entry"]).toBe(NONE);
    else expect(levels[header["entry"] as number]).toBe(Math.max(...linked));
  });

  test("has links that lead both ways, within their layer, to no node twice", () => {
    const { links, levels } = readSection(graph);
    let there = 0;
    for (const [node, layers] of links.entries()) {
      if (levels[node] === WAITS) expect(layers).toEqual([[]]);
      for (const [layer, targets] of layers.entries()) {
        there += targets.length;
        expect(new Set(targets).size).toBe(targets.length);
        for (const target of targets) {
          expect(target).not.toBe(node);
          expect(levels[target]).not.toBe(WAITS);
          expect(links[target]?.[layer]).toContain(node);
        }
      }
    }
    expect(there).toBeGreaterThanOrEqual(2 * Math.max(0, count - pending - 1));
  });

  test("has every vector once, encoded as described", () => {
    const { labels, scales, offsets, codes } = readSection(graph);
    expect(labels.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    for (const [node, label] of labels.entries()) {
      const expected = encoded(fixtureVector(label, dimensions), metric, quantization === "sq8" ? 1 : 0);
      expect(scales[node]).toBe(expected.scale);
      expect(offsets[node]).toBe(expected.offset);
      expect(codes[node]?.map((value) => value + 0)).toEqual(expected.code.map((value) => value + 0));
    }
  });
});

test("the worked example shows the bytes of the file", () => {
  const bytes = readFixture("v1-f32-l2.lhv1");
  const lines = [...document.matchAll(/^ {4}0x([0-9a-f]{4}) {2}((?:[0-9a-f]{2} )+) +(\S.*)$/gmu)];
  expect(lines.length).toBeGreaterThan(20);
  for (const [, offset, hex] of lines) {
    const at = Number.parseInt(offset as string, 16);
    const shown = (hex as string).trim();
    expect(`${offset}: ${bytes.subarray(at, at + shown.split(" ").length).toString("hex")}`).toBe(
      `${offset}: ${shown.replaceAll(" ", "")}`,
    );
  }
  const { header, levels, labels, links } = readSection(bytes.subarray(0x185));
  expect(header).toMatchObject({ entry: 0, count: 33, blocks: 12, stride: 128 });
  expect([levels[0], levels[3], levels[7]]).toEqual([2, 1, 2]);
  const said = (pattern: RegExp): number[] => (pattern.exec(document)?.[1] ?? "").split(", ").map(Number);
  expect(links[0]?.[1]).toEqual(said(/node 0 in layer 1 has links to ([\d, ]+)$/mu));
  expect(links[0]?.[2]).toEqual(said(/node 0 in layer 2 has links to ([\d, ]+)$/mu));
  expect(links[3]?.[1]).toEqual(said(/node 3 in layer 1 has links to ([\d, ]+)$/mu));
  expect([labels[0], labels[1], labels[32]]).toEqual([7, 1, 26]);
});
