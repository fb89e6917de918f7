import { describe, expect, test } from "vitest";
import { CommandError } from "../../src/cli/command-error.ts";
import { filterFrom, FILTER_OPTIONS, withOptionName } from "../../src/cli/filter-options.ts";
import { parseLineRange } from "../../src/cli/line-range.ts";
import { type OptionSpec, parseArguments } from "../../src/cli/options.ts";
import { suggest } from "../../src/cli/suggest.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "k", short: "k", value: "<n>", help: "" },
  { name: "trust", value: "<n>", help: "" },
  { name: "tag", value: "<tag>", many: true, help: "" },
  { name: "how", value: "<how>", help: "" },
  { name: "json", help: "" },
  { name: "quiet", short: "q", help: "" },
];

function parse(...args: string[]): ReturnType<typeof parseArguments> {
  return parseArguments("search", SPECS, args);
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CommandError) return `${error.message} | ${error.hint ?? ""} | ${error.exitCode}`;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("options", () => {
  test("are read wherever they stand, short and long, and what follows -- is text", () => {
    const args = parse("one", "-k5", "two", "--tag=a", "--tag", "b", "-q", "--", "-three", "--json");
    expect(args.positionals).toEqual(["one", "two", "-three", "--json"]);
    expect(args.integer("k", 1, 10)).toBe(5);
    expect(args.list("tag")).toEqual(["a", "b"]);
    expect([args.has("quiet"), args.has("json")]).toEqual([true, false]);
    expect(args.text("how")).toBeUndefined();
    expect(args.list("how")).toBeUndefined();
  });

  test.each([
    [["--jsno"], "unknown option --jsno | Did you mean --json? | 2"],
    [["-x"], 'unknown option -x | Words that begin with "-" go after "--": lodestore search -- kiln -glaze | 2'],
    [["--json=3"], '--json takes no value, got "3" |  | 2'],
    [["--tag"], "--tag needs a value: --tag <tag> |  | 2"],
    [["--tag="], "--tag needs a value: --tag <tag> |  | 2"],
    [["--tag", "--json"], "--tag needs a value: --tag <tag> | If the value is --json: --tag=--json | 2"],
  ])("refuses %j and says what to do", (args, message) => {
    expect(messageOf(() => parse(...args))).toBe(message);
  });

  test.each([
    ["0", "-k"],
    ["11", "-k"],
    ["1.5", "-k"],
    ["ten", "-k"],
    ["1e1", "-k"],
  ])("refuses %j as a number of hits", (value, name) => {
    expect(messageOf(() => parse(`-k${value}`).integer("k", 1, 10))).toContain(
      `${name} got "${value}"; it takes an integer from 1 to 10`,
    );
  });

  test("refuses numbers out of range, unknown choices and values that are given twice", () => {
    expect(parse("--trust", "0.25").number("trust", 0, 1)).toBe(0.25);
    expect(messageOf(() => parse("--trust", "2").number("trust", 0, 1))).toContain("a number from 0 to 1");
    expect(messageOf(() => parse("--trust", " ").number("trust", 0, 1))).toContain("a number from 0 to 1");
    expect(messageOf(() => parse("--how", "b").oneOf("how", ["rank", "off"]))).toContain("it takes rank, off");
    expect(messageOf(() => parse("--how", "a", "--how", "b").text("how"))).toContain("--how is given 2 times");
  });

  test("that the command does not have cannot be asked for", () => {
    expect(() => parse().has("nonsense")).toThrow(TypeError);
  });
});

describe("filter options", () => {
  test("become the store's filter, and none of them is no filter", () => {
    const argv =
      "--lang de --lang zh --tag x --path a/** --media text/* --after 2026-01-31 --trust 0.5 --doc abc".split(" ");
    expect(filterFrom(parseArguments("list", FILTER_OPTIONS, argv))).toEqual({
      lang: ["de", "zh"],
      tagsAny: ["x"],
      pathGlob: ["a/**"],
      media: ["text/*"],
      ingestedAfter: "2026-01-31",
      trustMin: 0.5,
      docId: ["abc"],
    });
    expect(filterFrom(parseArguments("list", FILTER_OPTIONS, []))).toBeUndefined();
  });

  test("take a time in milliseconds, but not a year as one", () => {
    const after = (value: string): unknown =>
      filterFrom(parseArguments("list", FILTER_OPTIONS, ["--after", value]))?.ingestedAfter;
    expect(after("1769817600000")).toBe(1769817600000);
    expect(after("2026")).toBe("2026");
  });

  test("stand in messages of the store under the names that were typed", () => {
    expect(withOptionName('filter.lang[0] got "e!"; it takes')).toBe('--lang got "e!"; it takes');
    expect(withOptionName("page.cursor belongs to another filter")).toBe("--cursor belongs to another filter");
    expect(withOptionName("something else is wrong")).toBe("something else is wrong");
  });
});

describe("suggest", () => {
  test.each([
    ["serch", "search"],
    ["saerch", "search"],
    ["SEARCH", "search"],
    ["doc", "doctor"],
    ["lst", "list"],
    ["frobnicate", undefined],
    ["x", undefined],
  ])("takes %j for %j", (typed, meant) => {
    expect(suggest(typed, ["ingest", "search", "list", "show", "doctor"])).toBe(meant);
  });
});

describe("lines", () => {
  test.each([
    ["12-18", { start: 12, end: 18 }],
    ["12", { start: 12, end: 12 }],
    ["12-", { start: 12, end: Number.POSITIVE_INFINITY }],
    ["0-3", undefined],
    ["5-4", undefined],
    ["-4", undefined],
    ["a", undefined],
    ["", undefined],
  ])("reads %j", (text, range) => {
    expect(parseLineRange(text)).toEqual(range);
  });
});
