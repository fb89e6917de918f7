import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const WORDS = [
  "harbour",
  "lantern",
  "meadow",
  "granite",
  "orchard",
  "compass",
  "thimble",
  "glacier",
  "ember",
  "willow",
];

/** Words of a small deterministic generator, the same for every run. */
function sentence(seed: number): string {
  let state = seed * 2654435761 + 1;
  const words: string[] = [];
  for (let count = 0; count < 12; count++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words.push(WORDS[state % WORDS.length] ?? "");
  }
  return `${words.join(" ")}.`;
}

/** The text of note `number`: several chunks long, with a first and a last word that no other note has. */
export function noteText(number: number): string {
  const sections = Array.from({ length: 12 }, (_, section) => {
    const lines = Array.from({ length: 6 }, (_, line) => sentence(number * 100 + section * 10 + line));
    return `## Part ${section} of ${number}\n\n${lines.join("\n")}\n`;
  });
  return `# Note ${number}\n\nfirst${number}first\n\n${sections.join("\n")}\nlast${number}last\n`;
}

/** A folder of generated Markdown notes, spread over subfolders. */
export class MarkdownFolder implements AsyncDisposable {
  readonly path: string;
  readonly name: string;
  readonly count: number;

  private constructor(path: string, count: number) {
    this.path = path;
    this.name = basename(path);
    this.count = count;
  }

  static async create(count: number): Promise<MarkdownFolder> {
    const folder = new MarkdownFolder(await mkdtemp(join(tmpdir(), "lodestore-notes-")), count);
    const subfolders = Array.from({ length: Math.ceil(count / 100) }, (_, index) => join(folder.path, `part-${index}`));
    await Promise.all(subfolders.map((subfolder) => mkdir(subfolder)));
    for (let number = 0; number < count; number++) await folder.write(folder.#notePath(number), noteText(number));
    return folder;
  }

  /** Path of note `number` below the folder. */
  #notePath(number: number): string {
    return `part-${Math.floor(number / 100)}/note-${number}.md`;
  }

  /** Adds a file; folders on the way are made. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.path, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
