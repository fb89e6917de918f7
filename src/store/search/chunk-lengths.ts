import type { SqlDatabase } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { MAX_CHUNK_KEY } from "../documents/chunk-rows.ts";
import { firstFrom } from "./first-from.ts";

const SITE = { capability: "search", operation: "search" } as const;

/** Rows read by one statement: some milliseconds. */
const PAGE = 32_768;

const SPACE = 0x20;
const COMMA = 0x2c;

/**
 * How many tokens each indexed chunk has, in memory: looked up row by row, as FTS5's own BM25 does, they take most of the time of a
 * search. Chunks stand in the order of their keys, and each keeps its place: the list only grows at its end, for keys are never used
 * again, and what was deleted stays in it.
 */
export class ChunkLengths {
  #keys = new Uint32Array(1024);
  #lengths = new Uint32Array(1024);
  #size = 0;

  /** Places that are taken, those of deleted chunks included. */
  get size(): number {
    return this.#size;
  }

  /** Key of the chunk at a place. */
  keyAt(place: number): number {
    return this.#keys[place] as number;
  }

  /** Tokens of the chunk at a place, in all columns together. */
  lengthAt(place: number): number {
    return this.#lengths[place] as number;
  }

  /** Returns the places of chunk keys that ascend; keys that have none are left out. */
  placesOf(keys: Uint32Array): Uint32Array {
    const places = new Uint32Array(keys.length);
    let count = 0;
    let place = 0;
    for (const key of keys) {
      place = this.placeFrom(place, key);
      if (place < this.#size && this.#keys[place] === key) places[count++] = place;
    }
    return places.subarray(0, count);
  }

  /** Returns the first place from `place` on whose key is not below `key`: near ones are found fastest. */
  placeFrom(place: number, key: number): number {
    // Without holes between them it stands there, and never behind.
    const bound = place + key - (this.#keys[place] as number);
    if (bound < this.#size && this.#keys[bound] === key) return bound;
    return firstFrom(this.#keys, this.#size, place, key);
  }

  /** Reads the chunks that came since the last time. Must not be called again before it is done. */
  async extend(db: SqlDatabase): Promise<void> {
    for (let rows = PAGE; rows === PAGE;) {
      const last = this.#size === 0 ? 0 : this.keyAt(this.#size - 1);
      // One value instead of a row each.
      const page = await db.get<{ rows: number; list: Uint8Array | null }>(
        `SELECT count(*) AS rows, CAST(group_concat(id || ' ' || hex(sz), ',') || ',' AS BLOB) AS list
         FROM (SELECT id, sz FROM chunks_fts_docsize WHERE id > $1 ORDER BY id LIMIT ${PAGE})`,
        [last],
      );
      rows = page?.rows ?? 0;
      if (page?.list) this.#append(page.list, rows);
    }
  }

  /** @param list `key sizes,` for each row, the sizes being varints in hexadecimal. */
  #append(list: Uint8Array, rows: number): void {
    this.#reserve(this.#size + rows);
    for (let at = 0; at < list.length; at++) {
      let key = 0;
      for (; list[at] !== SPACE; at++) key = 10 * key + (list[at] as number) - 0x30;
      if (key > MAX_CHUNK_KEY) throw new StorageError("CORRUPT", `there is a chunk of key ${key}`, SITE);
      let length = 0;
      let value = 0;
      for (at++; list[at] !== COMMA; at += 2) {
        const byte = 16 * hexadecimal(list[at] as number) + hexadecimal(list[at + 1] as number);
        value = 128 * value + (byte & 0x7f);
        if (byte >= 0x80) continue;
        length += value;
        value = 0;
      }
      this.#keys[this.#size] = key;
      this.#lengths[this.#size] = length;
      this.#size++;
    }
  }

  #reserve(size: number): void {
    if (size <= this.#keys.length) return;
    const room = Math.max(size, 2 * this.#keys.length);
    const [keys, lengths] = [new Uint32Array(room), new Uint32Array(room)];
    keys.set(this.#keys);
    lengths.set(this.#lengths);
    this.#keys = keys;
    this.#lengths = lengths;
  }
}

function hexadecimal(digit: number): number {
  return digit < 0x3a ? digit - 0x30 : digit - 0x37;
}
