/** How often something stands in each column of the chunks that hold it. */
export interface Occurrences {
  /** Places of the chunks in the chunk lengths, ascending. */
  places: Uint32Array;
  heading: Uint32Array;
  text: Uint32Array;
  forms: Uint32Array;
}

/** Occurrences of nothing, with room for so many chunks. */
export function roomFor(chunks: number): Occurrences {
  return {
    places: new Uint32Array(chunks),
    heading: new Uint32Array(chunks),
    text: new Uint32Array(chunks),
    forms: new Uint32Array(chunks),
  };
}

/** The first `chunks` of these. */
export function firstOf({ places, heading, text, forms }: Occurrences, chunks: number): Occurrences {
  return {
    places: places.subarray(0, chunks),
    heading: heading.subarray(0, chunks),
    text: text.subarray(0, chunks),
    forms: forms.subarray(0, chunks),
  };
}

/** Adds lists up; a chunk may stand in several of them.
 *  @param size Places that there are. */
export function addUp(lists: readonly Occurrences[], size: number): Occurrences {
  const filled = lists.filter(({ places }) => places.length > 0).toSorted((a, b) => firstPlace(a) - firstPlace(b));
  if (filled.length === 1) return filled[0] as Occurrences;
  const followEachOther = filled.every(
    (list, at) => at === 0 || lastPlace(filled[at - 1] as Occurrences) < firstPlace(list),
  );
  return followEachOther ? concatenated(filled) : summed(filled, size);
}

function firstPlace({ places }: Occurrences): number {
  return places[0] as number;
}

function lastPlace({ places }: Occurrences): number {
  return places.at(-1) as number;
}

function concatenated(lists: readonly Occurrences[]): Occurrences {
  const all = roomFor(lists.reduce((sum, { places }) => sum + places.length, 0));
  let at = 0;
  for (const list of lists) {
    all.places.set(list.places, at);
    all.heading.set(list.heading, at);
    all.text.set(list.text, at);
    all.forms.set(list.forms, at);
    at += list.places.length;
  }
  return all;
}

function summed(lists: readonly Occurrences[], size: number): Occurrences {
  const held = new Uint8Array(size);
  const sums = roomFor(size);
  let chunks = 0;
  for (const { places, heading, text, forms } of lists) {
    for (let at = 0; at < places.length; at++) {
      const place = places[at] as number;
      if (held[place] === 0) chunks++;
      held[place] = 1;
      sums.heading[place]! += heading[at] as number;
      sums.text[place]! += text[at] as number;
      sums.forms[place]! += forms[at] as number;
    }
  }
  const all = roomFor(chunks);
  let at = 0;
  for (let place = 0; at < chunks; place++) {
    if (held[place] === 0) continue;
    all.places[at] = place;
    all.heading[at] = sums.heading[place] as number;
    all.text[at] = sums.text[place] as number;
    all.forms[at++] = sums.forms[place] as number;
  }
  return all;
}
