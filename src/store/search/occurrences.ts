/** How often something stands in each column of the chunks that hold it. */
export interface Occurrences {
  /** Places of the chunks in the chunk lengths, ascending. */
  places: Uint32Array;
  heading: Uint32Array;
  text: Uint32Array;
  forms: Uint32Array;
}

/** Rows for which there is room at first. */
const FIRST_ROOM = 64;

/** Occurrences as they are read: list after list, so that a chunk may come several times. */
export class OccurrenceList {
  #places = new Uint32Array(FIRST_ROOM);
  #heading = new Uint32Array(FIRST_ROOM);
  #text = new Uint32Array(FIRST_ROOM);
  #forms = new Uint32Array(FIRST_ROOM);
  #size = 0;
  #ascends = true;

  /** @param counts Of heading, text and forms, in the order of the index's columns. */
  add(place: number, counts: Uint32Array): void {
    const row = this.#size++;
    if (row === this.#places.length) this.#grow();
    if (row > 0 && place <= (this.#places[row - 1] as number)) this.#ascends = false;
    this.#places[row] = place;
    this.#heading[row] = counts[0] as number;
    this.#text[row] = counts[1] as number;
    this.#forms[row] = counts[2] as number;
  }

  /** Adds up what stands of each chunk.
   *  @param size Places that there are. */
  addUp(size: number): Occurrences {
    return this.#ascends ? this.#asItIs() : this.#summed(size);
  }

  #grow(): void {
    this.#places = doubled(this.#places);
    this.#heading = doubled(this.#heading);
    this.#text = doubled(this.#text);
    this.#forms = doubled(this.#forms);
  }

  #asItIs(): Occurrences {
    const places = this.#places.subarray(0, this.#size);
    const heading = this.#heading.subarray(0, this.#size);
    const text = this.#text.subarray(0, this.#size);
    return { places, heading, text, forms: this.#forms.subarray(0, this.#size) };
  }

  #summed(size: number): Occurrences {
    const held = new Uint8Array(size);
    for (let row = 0; row < this.#size; row++) held[this.#places[row] as number] = 1;
    const rowOf = new Uint32Array(size);
    let chunks = 0;
    for (let place = 0; place < size; place++) if (held[place] === 1) rowOf[place] = chunks++;
    const places = new Uint32Array(chunks);
    const [heading, text, forms] = [new Uint32Array(chunks), new Uint32Array(chunks), new Uint32Array(chunks)];
    for (let row = 0; row < this.#size; row++) {
      const place = this.#places[row] as number;
      const at = rowOf[place] as number;
      places[at] = place;
      heading[at]! += this.#heading[row] as number;
      text[at]! += this.#text[row] as number;
      forms[at]! += this.#forms[row] as number;
    }
    return { places, heading, text, forms };
  }
}

function doubled(values: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * values.length);
  larger.set(values);
  return larger;
}
