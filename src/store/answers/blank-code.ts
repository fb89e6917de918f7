const FENCE = /^ {0,3}(`{3,}|~{3,})/u;

/** The text with spaces where Markdown's code stands, fences and spans: as long as before, and in time that grows with its length. */
export function blankCode(text: string): string {
  return blankSpans(blankFences(text));
}

function blankFences(text: string): string {
  let fence: string | undefined;
  return text
    .split("\n")
    .map((line) => {
      const mark = FENCE.exec(line)?.[1];
      const inside = fence !== undefined;
      if (fence === undefined) fence = mark;
      else if (mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length) fence = undefined;
      return inside || mark !== undefined ? " ".repeat(line.length) : line;
    })
    .join("\n");
}

/** A span ends at the next run of as many backticks. @see https://spec.commonmark.org/0.31.2/#code-spans */
function blankSpans(text: string): string {
  const runs = [...text.matchAll(/`+/gu)].map((match) => ({ start: match.index, length: match[0].length }));
  const nextAlike: (number | undefined)[] = [];
  const seen = new Map<number, number>();
  for (let at = runs.length - 1; at >= 0; at--) {
    const { length } = runs[at]!;
    nextAlike[at] = seen.get(length);
    seen.set(length, at);
  }
  let blanked = "";
  let done = 0;
  for (let at = 0; at < runs.length; at++) {
    const close = nextAlike[at];
    if (close === undefined) continue;
    const end = runs[close]!.start + runs[close]!.length;
    blanked += text.slice(done, runs[at]!.start) + " ".repeat(end - runs[at]!.start);
    done = end;
    at = close;
  }
  return blanked + text.slice(done);
}
