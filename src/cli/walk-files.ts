import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { binaryEnding } from "./binary-endings.ts";
import type { FileGlob } from "./file-glob.ts";
import { createWalkNotes, type WalkNotes } from "./walk-notes.ts";

/** Where a walk begins. */
export interface WalkRoot {
  /** Absolute, links resolved. */
  absolute: string;
  /** `""` for a folder: paths are relative to it. The path in the store for a single file. */
  path: string;
  kind: "folder" | "file";
}

export interface WalkOptions {
  roots: readonly WalkRoot[];
  /** Files to take, by their path in the walked folder; all when empty. */
  include: readonly FileGlob[];
  /** Files and folders to leave out; before `include`. */
  exclude: readonly FileGlob[];
  /** Whether names that begin with a dot are taken; `.git` never is. */
  hidden: boolean;
  /** Path in the store under which everything is put: `""` or `docs/`. */
  prefix: string;
  /** Folder of the store, links resolved: never walked. */
  store: string;
  signal?: AbortSignal;
}

/** A file that the walk found; not opened yet. */
export interface FoundFile {
  /** Path in the store: relative, parts joined by `/`. */
  path: string;
  absolute: string;
}

interface Folder {
  absolute: string;
  /** Where it is when all links are resolved. */
  real: string;
  path: string;
}

/**
 * Walks folders, sorted by name in each (code-unit order), and yields the files in them as it goes: no folder is read
 * before its turn. Files that are roots themselves are yielded whatever they are: somebody named them.
 *
 * A link to a folder is followed once, and only if it leads out of everything that is walked anyway, so no link makes
 * a loop or a second copy.
 */
export class FileWalk {
  readonly notes: WalkNotes = createWalkNotes();
  readonly #options: WalkOptions;
  /** Folders that were reached through links. */
  readonly #followed = new Set<string>();
  /** Paths given out, kept where two roots might give the same. */
  readonly #paths = new Set<string>();

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  async *files(): AsyncGenerator<FoundFile> {
    for (const { kind, absolute, path } of this.#options.roots) {
      if (kind === "folder") yield* this.#folder({ absolute, real: absolute, path: "" });
      else yield* this.#give({ path, absolute });
    }
  }

  async *#folder(folder: Folder): AsyncGenerator<FoundFile> {
    let entries: Dirent[];
    try {
      entries = await readdir(folder.absolute, { withFileTypes: true });
    } catch (error) {
      this.#problem(folder.path === "" ? "." : folder.path, "folder cannot be read", error);
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      this.#options.signal?.throwIfAborted();
      const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
      const absolute = join(folder.absolute, entry.name);
      if (entry.isSymbolicLink()) yield* this.#link(absolute, path);
      else if (entry.isDirectory()) yield* this.#subfolder({ absolute, real: join(folder.real, entry.name), path });
      else if (entry.isFile()) yield* this.#file(absolute, path);
      else this.notes.special++;
    }
  }

  async *#subfolder(folder: Folder): AsyncGenerator<FoundFile> {
    const name = nameOf(folder.path);
    if (name === ".git" || (name.startsWith(".") && !this.#options.hidden)) this.notes.hiddenFolders++;
    else if (name === "node_modules") this.notes.nodeModules++;
    else if (folder.real === this.#options.store) this.notes.stores++;
    else if (this.#options.exclude.some((glob) => glob.matches(folder.path))) this.notes.excluded++;
    else if (this.#followed.has(folder.real)) this.notes.linkedAgain++;
    else {
      // Only where a link led: what the roots hold themselves cannot come twice.
      if (folder.real !== folder.absolute) this.#followed.add(folder.real);
      yield* this.#folder(folder);
    }
  }

  async *#link(absolute: string, path: string): AsyncGenerator<FoundFile> {
    if (nameOf(path).startsWith(".") && !this.#options.hidden) {
      this.notes.hiddenFiles++;
      return;
    }
    let target: Stats;
    let real: string;
    try {
      target = await stat(absolute);
      real = await realpath(absolute);
    } catch (error) {
      this.#problem(path, "link cannot be followed", error);
      return;
    }
    if (target.isFile()) yield* this.#file(absolute, path);
    else if (!target.isDirectory()) this.notes.special++;
    else if (this.#isWalkedAnyway(real)) this.notes.linkedAgain++;
    else yield* this.#subfolder({ absolute, real, path });
  }

  *#file(absolute: string, path: string): Generator<FoundFile> {
    const { include, exclude, hidden } = this.#options;
    const ending = binaryEnding(path);
    if (nameOf(path).startsWith(".") && !hidden) this.notes.hiddenFiles++;
    else if (exclude.some((glob) => glob.matches(path))) this.notes.excluded++;
    else if (include.length > 0 && !include.some((glob) => glob.matches(path))) this.notes.notIncluded++;
    else if (ending !== undefined) this.notes.binary[ending] = (this.notes.binary[ending] ?? 0) + 1;
    else yield* this.#give({ path, absolute });
  }

  *#give({ path, absolute }: FoundFile): Generator<FoundFile> {
    const full = this.#options.prefix + path;
    if (this.#options.roots.length > 1) {
      const key = full.normalize("NFC");
      if (this.#paths.has(key)) {
        const reason = `another file of this run has this path; this one is ${absolute}. Take them in one by one, with --prefix`;
        this.notes.problems.push({ path: full, reason, code: "CONFLICT" });
        return;
      }
      this.#paths.add(key);
    }
    yield { path: full, absolute };
  }

  /** Whether a folder holds, is, or is in one of the walked folders. */
  #isWalkedAnyway(real: string): boolean {
    return this.#options.roots.some(
      (root) => root.kind === "folder" && (isWithin(real, root.absolute) || isWithin(root.absolute, real)),
    );
  }

  #problem(path: string, what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.notes.problems.push({ path: this.#options.prefix + path, reason: `${what}: ${reason}`, code: "DRIVER" });
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(join(folder, "/"));
}
