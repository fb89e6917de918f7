import { DatabaseSync } from "node:sqlite";

/** Changes a database behind the back of its store: no foreign keys are looked after, and no table is kept from harm.
 *  @param work Also called with the store's functions absent: what triggers would call them must not be touched. */
export function damage<T>(file: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  // Versions of Node that protect the tables behind a text index have a switch for it.
  (db as { enableDefensive?: (active: boolean) => void }).enableDefensive?.(false);
  try {
    return work(db);
  } finally {
    db.close();
  }
}
