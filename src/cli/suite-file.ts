import { basename, extname } from "node:path";
import { type NewEvalQuery, type NewEvalSuite, parseEvalSuite, StorageError } from "../node.ts";
import { type CommandError, usageError } from "./command-error.ts";
import { readInputText } from "./read-input-file.ts";

/** Reads a suite from a file: JSON with the suite, or with `.jsonl` a query a line. What is wrong with the suite itself the store says.
 *  @throws CommandError (usage) it cannot be read, or is no JSON */
export async function readSuiteFile(command: string, path: string): Promise<NewEvalSuite> {
  const text = await readInputText(command, path);
  try {
    return parseEvalSuite(text, path);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw usageError(
      command,
      error.message,
      'A suite: {"queries":[{"id":"1","text":"how hot","expected":["guides/kiln.md"]}]}',
    );
  }
}

/** Files of a TREC collection. */
export interface TrecFiles {
  /** Judgements: `query iteration document grade` a line, or `query document grade`, separated by space; a first line of words is a heading. */
  qrels: string;
  /** Queries: id, tab, text. */
  topics: string;
  /** The path of a document, `{}` for its id. */
  paths: string;
}

/** Makes a suite of judgements and topics as TREC and its kin have them.
 *  @throws CommandError (usage) naming file and line */
export async function readTrecSuite(command: string, { qrels, topics, paths }: TrecFiles): Promise<NewEvalSuite> {
  const judgements = new Map<string, Map<string, number>>();
  for (const { line, place, isFirst } of await linesOf(command, qrels)) {
    const fields = line.trim().split(/\s+/u);
    const [query = "", document = "", grade = ""] = fields.length === 4 ? [fields[0], fields[2], fields[3]] : fields;
    if (fields.length < 3 || fields.length > 4 || !/^[+-]?\d+$/u.test(grade)) {
      if (isFirst && fields.length >= 3 && fields.length <= 4) continue;
      throw wrong(command, place, line, "query, iteration, document and grade");
    }
    const grades = judgements.get(query) ?? new Map<string, number>();
    grades.set(
      paths.replaceAll("{}", () => document),
      Number(grade),
    );
    judgements.set(query, grades);
  }
  const queries = (await linesOf(command, topics)).map(({ line, place }): NewEvalQuery => {
    const tab = line.indexOf("\t");
    if (tab <= 0) throw wrong(command, place, line, "id, tab and text of a query");
    const id = line.slice(0, tab).trim();
    return { id, text: line.slice(tab + 1).trim(), judgements: Object.fromEntries(judgements.get(id) ?? []) };
  });
  return { name: basename(qrels, extname(qrels)), queries };
}

interface Line {
  line: string;
  place: string;
  isFirst: boolean;
}

async function linesOf(command: string, path: string): Promise<Line[]> {
  const text = (await readInputText(command, path)).replace(/^\uFEFF/u, "");
  return text
    .split(/\r?\n/u)
    .map((line, index) => ({ line, place: `${path}:${index + 1}`, isFirst: index === 0 }))
    .filter(({ line }) => line.trim() !== "");
}

function wrong(command: string, place: string, line: string, takes: string): CommandError {
  return usageError(command, `${place} got "${line.slice(0, 60)}"; it takes ${takes}`);
}
