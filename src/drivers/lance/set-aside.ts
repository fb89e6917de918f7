import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../../errors.ts";
import { throwIfAborted } from "../vectors/throw-if-aborted.ts";
import type { OpenTables } from "./open-tables.ts";
import type { RegisteredTable } from "./table-register.ts";

const OPERATION = "setAsideDamaged";
const COLUMNS = ["embedding_id", "chunk_id", "chunk_key", "model_version", "vector"];

/** Reads all of a table, and returns what is wrong with its files. */
export async function damageOf(
  tables: OpenTables,
  entry: RegisteredTable,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const live = await tables.find(entry, OPERATION);
    if (live === undefined) return undefined;
    for await (const rows of live.rows(OPERATION, COLUMNS)) {
      throwIfAborted(signal, OPERATION);
      if (rows.numRows === 0) continue;
    }
    return undefined;
  } catch (error) {
    if (error instanceof StorageError && error.code === "CORRUPT") return firstSentence(error.message);
    throw error;
  }
}

/** Gives the folder of a table another name. @returns the name. */
export async function moveAside(tables: OpenTables, entry: RegisteredTable, dir: string): Promise<string> {
  await tables.forget(entry.indexId);
  const folder = `${entry.tableName}.lance`;
  let name = `${folder}.damaged`;
  for (let n = 2; existsSync(join(dir, name)); n++) name = `${folder}.damaged-${n}`;
  await rename(join(dir, folder), join(dir, name));
  return name;
}

/** What is to be done about it is done. */
function firstSentence(message: string): string {
  return message.split(". ", 1)[0] ?? message;
}
