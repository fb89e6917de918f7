import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { COMMON_OPTIONS } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/options.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import { vectorsFor } from "../../src/cli/vectors-option.ts";

function chosen(args: readonly string[], env: Record<string, string> = {}): string | undefined {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = new Terminal({ stdout: nowhere, stderr: nowhere, env, json: false });
  return vectorsFor(parseArguments("stats", COMMON_OPTIONS, args), terminal);
}

describe("--vectors", () => {
  test.each(["auto", "lance", "hnsw", "flat"])("takes %s, typed or from the environment", (engine) => {
    expect(chosen(["--vectors", engine])).toBe(engine);
    expect(chosen([], { LODESTORE_VECTORS: engine })).toBe(engine);
  });

  test("goes before the environment; nothing, or nothing in it, is no choice", () => {
    expect(chosen(["--vectors", "flat"], { LODESTORE_VECTORS: "lance" })).toBe("flat");
    expect(chosen([])).toBeUndefined();
    expect(chosen([], { LODESTORE_VECTORS: "" })).toBeUndefined();
  });

  test.each([
    [["--vectors", "lanse"], {}, '--vectors got "lanse"; it takes auto, lance, hnsw, flat', "Did you mean: lance"],
    [["--vectors", "Flat"], {}, '--vectors got "Flat"; it takes auto, lance, hnsw, flat', "Did you mean: flat"],
    [[], { LODESTORE_VECTORS: "faiss" }, 'LODESTORE_VECTORS got "faiss"; it takes auto, lance, hnsw, flat', undefined],
    [["--vectors", "flat", "--vectors", "hnsw"], {}, "--vectors is given 2 times; it takes one value", undefined],
    [["--vectors", ""], {}, "--vectors needs a value: --vectors <v>", undefined],
  ])("refuses %j with %j by name", (args, env, message, hint) => {
    expect(() => chosen(args, env as Record<string, string>)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", exitCode: 2, message, hint }) as Error,
    );
  });
});
