/** Lines of readable text with the source line of each. A new source line begins a new line of text. */
export class TextLines {
  readonly texts: string[] = [];
  readonly lines: number[] = [];
  /** Put before the first text of the next line: `- ` or an indent. */
  #prefix = "";
  /** Put before every later line of the same part. */
  #indent = "";
  #open = false;

  /** Begins a part (an item, a paragraph): its first line is led by `prefix`, the others by `indent`. */
  begin(prefix: string, indent: string): void {
    this.#prefix = prefix;
    this.#indent = indent;
    this.#open = false;
  }

  /** Appends text that stands on one source line. */
  append(text: string, line: number): void {
    if (this.#open && this.lines[this.lines.length - 1] === line) {
      this.texts[this.texts.length - 1] += text;
      return;
    }
    const shown = text.trimStart();
    if (shown === "") return;
    this.texts.push(this.#prefix + shown);
    this.lines.push(line);
    this.#prefix = this.#indent;
    this.#open = true;
  }

  get isEmpty(): boolean {
    return this.texts.length === 0;
  }

  /** Drops space at line ends, and lines without text. */
  tidy(): this {
    let kept = 0;
    for (let i = 0; i < this.texts.length; i++) {
      const text = this.texts[i]!.trimEnd();
      if (text === "") continue;
      this.texts[kept] = text;
      this.lines[kept] = this.lines[i]!;
      kept++;
    }
    this.texts.length = kept;
    this.lines.length = kept;
    return this;
  }
}
