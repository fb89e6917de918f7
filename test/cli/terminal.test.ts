import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { formatBytes, formatDuration } from "../../src/cli/format.ts";
import { cutToWidth, displayWidth, printable } from "../../src/cli/printable.ts";
import { ProgressLine } from "../../src/cli/progress-line.ts";
import { breadcrumbs, highlighted } from "../../src/cli/search-lines.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import type { IngestProgress } from "../../src/node.ts";

class Recorder extends Writable {
  readonly isTTY: boolean;
  readonly columns = 60;
  text = "";

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

function terminal(isTTY: boolean, env: Record<string, string> = {}): Terminal {
  return new Terminal({ stdout: new Recorder(isTTY), stderr: new Recorder(isTTY), env, json: false });
}

function progress(changed: Partial<IngestProgress>): IngestProgress {
  return {
    done: 50,
    total: 200,
    added: 40,
    updated: 0,
    skipped: 8,
    failed: 2,
    bytes: 3 * 2 ** 20,
    chunks: 400,
    elapsedMs: 2000,
    leftMs: 6000,
    currentPath: "a.md",
    ...changed,
  };
}

describe("a terminal", () => {
  test("shows matches in bold, and plain text where there is no terminal or no wish for it", () => {
    const snippet = {
      text: "the kiln\nand kilns",
      highlights: [
        [4, 8],
        [13, 18],
      ] as [number, number][],
    };
    const bold = "the \u001B[1mkiln\u001B[22m and \u001B[1mkilns\u001B[22m";
    expect(highlighted(snippet, terminal(true))).toBe(bold);
    expect(highlighted(snippet, terminal(true, { NO_COLOR: "" }))).toBe(bold);
    for (const plain of [terminal(false), terminal(true, { NO_COLOR: "1" }), terminal(true, { TERM: "dumb" })]) {
      expect(highlighted(snippet, plain)).toBe("the kiln and kilns");
    }
  });

  test("gets no control characters from documents, and offsets stay what they are", () => {
    const evil = "a\u001B[2Jb\u009Bc\r\nd\te\u007F\u2028f";
    expect(printable(evil)).toBe("a␛[2Jb�c  d\te␡ f");
    expect(printable(evil)).toHaveLength(evil.length);
    // What turns the direction of the line could show it as another.
    expect(printable("a\u202Egpj.exe\u2066b")).toBe("a\uFFFDgpj.exe\uFFFDb");
  });

  test("leaves a first heading out that is the title", () => {
    expect(breadcrumbs("Kiln", ["Kiln", "Cones"])).toBe("Kiln › Cones");
    expect(breadcrumbs("Kiln", ["Firing"])).toBe("Kiln › Firing");
    expect(breadcrumbs("", ["Firing"])).toBe("Firing");
  });

  test("has columns, of which some characters take two and some none", () => {
    expect([displayWidth("abc"), displayWidth("日本"), displayWidth("e\u0301"), displayWidth("한국")]).toEqual([
      3, 4, 1, 4,
    ]);
    expect(cutToWidth("日本語", 5)).toBe("日本…");
    expect(cutToWidth("abcdef", 4)).toBe("abc…");
    expect(cutToWidth("abc", 3)).toBe("abc");
  });
});

describe("the progress line", () => {
  test("is drawn over itself on a terminal, within its width, and taken away", () => {
    const stream = new Recorder(true);
    const line = new ProgressLine(stream);
    line.update(progress({ currentPath: "guides/日本語のとても長いパス/kiln.md" }));
    const drawn = stream.text;
    expect(drawn).toMatch(/^\r█████░{15} {2}25 % 50\/200 files · 3\.0 MiB/);
    expect(drawn.endsWith("…\u001B[K")).toBe(true);
    expect(displayWidth(drawn.replaceAll("\r", "").replaceAll("\u001B[K", ""))).toBeLessThan(60);
    line.end();
    expect(stream.text).toBe(`${drawn}\r\u001B[K`);
  });

  test("is a line now and then where there is no terminal", () => {
    const stream = new Recorder(false);
    const line = new ProgressLine(stream);
    line.begin("Looking for files…");
    line.update(progress({ done: 0, elapsedMs: 10 }));
    line.update(progress({}));
    line.update(progress({ done: 60, elapsedMs: 6900 }));
    line.update(progress({ done: 70, elapsedMs: 7000, leftMs: null, total: null, failed: 0 }));
    line.end();
    expect(stream.text).toBe(
      "50/200 files · 3.0 MiB · 25 files/s · 6.0 s left · 2 failed\n70 files · 3.0 MiB · 10 files/s\n",
    );
  });

  test("goes on with the passages that are embedded, and counts whatever else there is", () => {
    const stream = new Recorder(true);
    const line = new ProgressLine(stream);
    const embedding = { done: 300, total: 400, embedded: 100, failed: 1, elapsedMs: 2000, leftMs: 2000 };
    line.update(progress({ done: 200, embedding }));
    const drawn = stream.text;
    expect(drawn).toBe("\r███████████████░░░░░  75 % embedding 300/400 passages · 50…\u001B[K");
    line.embedding(embedding);
    expect(stream.text).toBe(drawn + drawn);
    line.count("vectors", 1, 2, 10);
    expect(stream.text).toContain("\r██████████░░░░░░░░░░  50 % 1/2 vectors\u001B[K");
  });
});

describe("formats", () => {
  test.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1,023 bytes"],
    [1024, "1.0 KiB"],
    [1024 * 1024 - 1, "1.0 MiB"],
    [16.2 * 2 ** 20, "16.2 MiB"],
    [5 * 2 ** 40, "5.0 TiB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [40, "40 ms"],
    [1440, "1.4 s"],
    [9960, "10 s"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
  ])("%d ms are %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
