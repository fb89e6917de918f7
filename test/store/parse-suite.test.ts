import { expect, test } from "vitest";
import { parseEvalSuite } from "../../src/index.ts";

const QUERY = { id: "1", text: "how hot", expected: ["guides/kiln.md"] };

test("a suite, a list of queries and a query a line are the same suite, named after the file where it has no name", () => {
  const suite = { name: "kilns", queries: [QUERY] };
  expect(parseEvalSuite(JSON.stringify(suite), "other.json")).toEqual(suite);
  expect(parseEvalSuite(`\uFEFF${JSON.stringify({ queries: [QUERY] })}`, "suites/kilns.json")).toEqual(suite);
  expect(parseEvalSuite(JSON.stringify([QUERY]), "C:\\suites\\kilns.json")).toEqual(suite);
  expect(parseEvalSuite(`\n${JSON.stringify(QUERY)}\r\n\r\n`, "kilns.jsonl")).toEqual(suite);
  expect(parseEvalSuite(JSON.stringify([QUERY]), "kilns")).toEqual(suite);
});

test("what is not JSON is refused by file, and by line where a line is a query", () => {
  const refusal = (text: string, name: string): unknown => {
    try {
      return parseEvalSuite(text, name);
    } catch (error) {
      return error;
    }
  };
  expect(refusal("{", "bad.json")).toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringMatching(/^bad\.json is not JSON: /u) as string,
  });
  expect(refusal(`${JSON.stringify(QUERY)}\noops\n`, "bad.jsonl")).toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringMatching(/^bad\.jsonl:2 is not JSON: /u) as string,
  });
});
