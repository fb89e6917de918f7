import { refusal } from "../../contracts/validate.ts";
import type { NewEvalQuery, NewEvalSuite } from "../../contracts/evaluations.ts";

/**
 * Reads a suite from the text of a file: JSON with a suite or with its queries, or, where the name ends in `.jsonl`, a query a line. A suite
 * without a name has that of the file. What is wrong with the suite itself is said by what takes it: `evaluations.putSuite`, `run`.
 *
 * @param fileName Name of the file, or its path.
 * @throws StorageError INVALID_INPUT (it is not JSON), naming the file and, in `.jsonl`, the line
 * @example
 *   const suite = parseEvalSuite('{"queries":[{"id":"1","text":"how hot","expected":["guides/kiln.md"]}]}', "kilns.json");
 *   await store.evaluations.putSuite(suite);
 */
export function parseEvalSuite(text: string, fileName: string): NewEvalSuite {
  const content = text.replace(/^\uFEFF/u, "");
  const base = fileName.split(/[/\\]/u).at(-1) ?? "";
  const name = base.replace(/(?<=.)\.[^.]*$/u, "");
  if (/.\.jsonl$/u.test(base)) {
    const queries = content
      .split(/\r?\n/u)
      .flatMap((line, index) => (line.trim() === "" ? [] : [parse(`${fileName}:${index + 1}`, line)]));
    return { name, queries: queries as NewEvalQuery[] };
  }
  const parsed = parse(fileName, content);
  if (Array.isArray(parsed)) return { name, queries: parsed as NewEvalQuery[] };
  // What is no suite the store refuses.
  if (typeof parsed !== "object" || parsed === null) return parsed as NewEvalSuite;
  return "name" in parsed ? (parsed as NewEvalSuite) : { ...(parsed as Omit<NewEvalSuite, "name">), name };
}

function parse(place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal({ capability: "evaluations", operation: "parseEvalSuite" }, `${place} is not JSON: ${reason}`);
  }
}
