/** A line that opens or closes a directive: `:::note[Title]`, `:::tip Title`, `:::`. */
export interface Directive {
  /** List indent and quote markers before it. */
  prefix: string;
  /** `""` without one. */
  title: string;
  /** Offset of the end of the line. */
  end: number;
}

const DIRECTIVE =
  /([ \t>]*):{3,}[ \t]{0,4}(?:[A-Za-z][\w-]{0,60})?(?:\[([^\n]*)\])?(?:\{[^\n}]*\})?(?:[ \t]{1,4}([^\s:{}[\]][^\n:{}[\]]{0,200}))?[ \t]{0,8}(?=\n|$)/y;

/** Returns the directive on the line at `start`, `null` when there is none. */
export function directiveAt(text: string, start: number): Directive | null {
  DIRECTIVE.lastIndex = start;
  const match = DIRECTIVE.exec(text);
  if (match === null) return null;
  return { prefix: match[1]!, title: (match[2] ?? match[3] ?? "").trim(), end: DIRECTIVE.lastIndex };
}
