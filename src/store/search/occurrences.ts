/** How often something stands in each column of the chunks that hold it. */
export interface Occurrences {
  /** Places of the chunks in the chunk lengths, ascending. */
  places: Uint32Array;
  heading: Uint32Array;
  text: Uint32Array;
  forms: Uint32Array;
}

/** Columns of the text index, in its order. */
type Columns = [heading: Uint32Array, text: Uint32Array, forms: Uint32Array];

/** Occurrences as they are read: list after list, so that a chunk may come several times. */
export class OccurrenceList {
  places: Uint32Array = new Uint32Array(0);
  /** Counts by column and row; zero for rows that are not yet there. */
  counts: Columns = [new Uint32Array(0), new Uint32Array(0), new Uint32Array(0)];
  /** Rows that are there. */
  size = 0;
  #ascends = true;

  /** Makes room for so many more rows. */
  reserve(rows: number): void {
    const needed = this.size + rows;
    if (needed <= this.places.length) return;
    const room = this.size === 0 ? needed : 2 * needed;
    const grown = (from: Uint32Array): Uint32Array => {
      const to = new Uint32Array(room);
      to.set(from);
      return to;
    };
    const [heading, text, forms] = this.counts;
    this.places = grown(this.places);
    this.counts = [grown(heading), grown(text), grown(forms)];
  }

  /** Ends the row whose counts were written. */
  add(place: number): void {
    if (this.size > 0 && place <= (this.places[this.size - 1] as number)) this.#ascends = false;
    this.places[this.size++] = place;
  }

  /** Adds up what stands of each chunk.
   *  @param places Places that there are. */
  addUp(places: number): Occurrences {
    if (!this.#ascends) return this.#summed(places);
    const [heading, text, forms] = this.counts.map((counts) => counts.subarray(0, this.size)) as Columns;
    return { places: this.places.subarray(0, this.size), heading, text, forms };
  }

  #summed(places: number): Occurrences {
    const rows = new Uint32Array(places);
    let chunks = 0;
    for (let at = 0; at < this.size; at++) {
      const place = this.places[at] as number;
      if (rows[place] === 0) chunks++;
      rows[place] = 1;
    }
    const held = new Uint32Array(chunks);
    for (let place = 0, row = 0; row < chunks; place++) {
      if (rows[place] === 0) continue;
      rows[place] = row;
      held[row++] = place;
    }
    const [heading, text, forms] = this.counts.map((counts) => this.#sumOf(counts, rows, chunks)) as Columns;
    return { places: held, heading, text, forms };
  }

  /** @param rows Row of each place. */
  #sumOf(counts: Uint32Array, rows: Uint32Array, chunks: number): Uint32Array {
    const sums = new Uint32Array(chunks);
    for (let at = 0; at < this.size; at++) sums[rows[this.places[at] as number] as number]! += counts[at] as number;
    return sums;
  }
}
