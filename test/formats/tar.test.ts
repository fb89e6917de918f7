import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { readTarHeader, TarHeaderError, writeTarHeader } from "../../src/formats/tar/tar-header.ts";
import { TarReader } from "../../src/formats/tar/tar-reader.ts";
import { tarSize, writeTar } from "../../src/formats/tar/tar-writer.ts";
import { inPieces } from "../support/archives.ts";

type Files = [name: string, content: Uint8Array][];

const FILES: Files = [
  ["lodestore.json", new TextEncoder().encode('{"format":"x"}\n')],
  ["empty", new Uint8Array()],
  ["block", new Uint8Array(512).fill(7)],
  ["long", new Uint8Array(100_001).map((_, at) => at % 251)],
];

async function packed(files: Files): Promise<Uint8Array> {
  async function* contents(): AsyncGenerator<{ name: string; sizeBytes: number; bytes: Iterable<Uint8Array> }> {
    for (const [name, content] of files) yield { name, sizeBytes: content.byteLength, bytes: [content] };
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of writeTar(contents(), 1_700_000_000)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

async function unpacked(bytes: AsyncIterable<Uint8Array>): Promise<Files> {
  const tar = new TarReader(bytes);
  const files: Files = [];
  for (let file = await tar.next(); file !== undefined; file = await tar.next()) {
    const pieces: Uint8Array[] = [];
    for await (const piece of tar.content()) pieces.push(piece.slice());
    files.push([file.name, new Uint8Array(Buffer.concat(pieces))]);
  }
  return files;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lodestore-tar-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe("a tar", () => {
  test("is read as it was written, whatever pieces it comes in", async () => {
    const tar = await packed(FILES);
    expect(tar.byteLength).toBe(tarSize(FILES.map(([, content]) => content.byteLength)));
    for (const size of [1, 511, 512, 513, 4096, tar.byteLength]) {
      expect(await unpacked(inPieces(tar, size))).toEqual(FILES);
    }
  });

  test("is read by tar, and what tar writes is read", async () => {
    const dir = folder();
    const path = join(dir, "ours.tar");
    writeFileSync(path, await packed(FILES));
    execFileSync("tar", ["-xf", path, "-C", dir]);
    for (const [name, content] of FILES) {
      expect(new Uint8Array(readFileSync(join(dir, name)))).toEqual(content);
      expect(statSync(join(dir, name)).mtimeMs).toBe(1_700_000_000_000);
    }
    for (const format of ["ustar", "gnu"]) {
      const theirs = join(dir, `${format}.tar`);
      const names = FILES.map(([name]) => name);
      execFileSync("tar", [`--format=${format}`, "-cf", theirs, "-C", dir, ...names]);
      expect(await unpacked(inPieces(new Uint8Array(readFileSync(theirs))))).toEqual(FILES);
    }
  });

  test("skips what is not read of a file", async () => {
    const tar = new TarReader(inPieces(await packed(FILES), 100));
    const names: string[] = [];
    for (let file = await tar.next(); file !== undefined; file = await tar.next()) {
      names.push(file.name);
      for await (const piece of tar.content()) if (piece.byteLength > 0) break;
    }
    expect(names).toEqual(FILES.map(([name]) => name));
  });

  test("holds files of any length that a number can say", () => {
    for (const sizeBytes of [0, 1, 8 ** 11 - 1, 8 ** 11, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER]) {
      const header = writeTarHeader({ name: "x", sizeBytes, modifiedAt: 5 });
      expect(readTarHeader(header)).toEqual({ name: "x", sizeBytes, modifiedAt: 5 });
    }
    expect(() => writeTarHeader({ name: "x", sizeBytes: -1, modifiedAt: 0 })).toThrow(RangeError);
    expect(() => writeTarHeader({ name: "übel", sizeBytes: 1, modifiedAt: 0 })).toThrow(RangeError);
    expect(() => writeTarHeader({ name: "x".repeat(101), sizeBytes: 1, modifiedAt: 0 })).toThrow(RangeError);
  });

  test("that a file does not fill, or overfills, is not written", async () => {
    async function* wrong(): AsyncGenerator<{ name: string; sizeBytes: number; bytes: Iterable<Uint8Array> }> {
      yield { name: "x", sizeBytes: 5, bytes: [new Uint8Array(4)] };
    }
    const drain = async (): Promise<void> => {
      for await (const piece of writeTar(wrong(), 0)) void piece;
    };
    await expect(drain()).rejects.toThrow(RangeError);
  });

  test("of other things than plain files is refused", () => {
    for (const type of ["1", "2", "5", "x", "g", "L", "S"]) {
      const header = writeTarHeader({ name: "x", sizeBytes: 0, modifiedAt: 0 });
      header[156] = type.charCodeAt(0);
      const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
      header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\u0000 `), 148);
      expect(() => readTarHeader(header)).toThrow("something else than plain files");
    }
  });
});

describe("a damaged tar", () => {
  test("that is cut off is BAD_FORMAT, wherever that is", async () => {
    const tar = await packed(FILES.slice(0, 3));
    for (let place = 0; place < tar.byteLength; place++) {
      await expect(unpacked(inPieces(tar.subarray(0, place), 300))).rejects.toMatchObject({
        code: "BAD_FORMAT",
        capability: "archive",
      });
    }
  });

  test("is read, or BAD_FORMAT, whatever is in it", async () => {
    const tar = await packed(FILES.slice(0, 3));
    const change = fc.tuple(fc.nat(tar.byteLength - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = tar.slice();
        for (const [at, value] of changes) damaged[at] = value;
        const outcome = await unpacked(inPieces(damaged, 700)).catch((error: unknown) => error);
        if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ code: "BAD_FORMAT" });
        expect(Array.isArray(outcome) || outcome instanceof StorageError).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("of noise is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (block) => {
        if (block.every((byte) => byte === 0)) return;
        expect(() => readTarHeader(block)).toThrow(TarHeaderError);
      }),
    );
  });
});
