import type { IngestFile } from "lodestore";

/** Files that were dropped or picked, not yet read. */
export interface FileSelection {
  /** What was chosen, for people: a folder's name or a count. */
  name: string;
  total: number;
  /** Folders and files whose names say that they are not content. */
  leftOut: number;
  files(): AsyncIterable<IngestFile>;
}

interface Found {
  path: string;
  open: () => Promise<File>;
}

function isLeftOut(name: string): boolean {
  return name.startsWith(".") || name === "node_modules" || name === "Thumbs.db";
}

/** Path inside the store: no leading slash, Unicode NFC (macOS hands out NFD). */
function workspacePath(path: string): string {
  return path.replace(/^\/+/, "").normalize("NFC");
}

function selection(name: string, found: Found[], leftOut: number): FileSelection {
  return {
    name,
    total: found.length,
    leftOut,
    async *files() {
      for (const { path, open } of found) {
        const file = await open().catch((error: unknown) => error as DOMException);
        if (file instanceof File) yield { path, content: file, sizeBytes: file.size };
        else yield { path, content: () => Promise.reject(file) };
      }
    },
  };
}

function readBatch(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

async function walk(entry: FileSystemEntry, found: Found[], isRoot: boolean): Promise<number> {
  if (!isRoot && isLeftOut(entry.name)) return 1;
  if (entry.isFile) {
    const fileEntry = entry as FileSystemFileEntry;
    found.push({
      path: workspacePath(entry.fullPath),
      open: () => new Promise((resolve, reject) => fileEntry.file(resolve, reject)),
    });
    return 0;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  let leftOut = 0;
  try {
    // readEntries hands out batches (100 in Chromium) until an empty one.
    for (let batch = await readBatch(reader); batch.length > 0; batch = await readBatch(reader)) {
      for (const child of batch) leftOut += await walk(child, found, false);
    }
  } catch (error) {
    // A folder that cannot be read is reported as a file that cannot: under its path, with its reason.
    const fail = async (): Promise<never> => {
      throw error;
    };
    found.push({ path: workspacePath(entry.fullPath), open: fail });
  }
  return leftOut;
}

/** Collects what was dropped, folders with all below them. Call it in the drop event: the items are gone after it. */
export function walkDrop(items: DataTransferItemList): Promise<FileSelection> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return walkEntries(entries);
}

async function walkEntries(entries: FileSystemEntry[]): Promise<FileSelection> {
  const found: Found[] = [];
  let leftOut = 0;
  for (const entry of entries) leftOut += await walk(entry, found, true);
  const only = entries.length === 1 ? entries[0] : undefined;
  return selection(only?.name ?? `${entries.length} items`, found, leftOut);
}

/** Collects what an `<input type="file">` holds; folder pickers give relative paths, file pickers only names. */
export function walkFileList(list: FileList): FileSelection {
  const found: Found[] = [];
  const hidden = new Set<string>();
  let root = "";
  for (const file of list) {
    const path = workspacePath(file.webkitRelativePath || file.name);
    const segments = path.split("/");
    // As with a drop, a chosen folder or file is taken even if its own name is hidden; what is below is not.
    const at = segments.findIndex((segment, index) => index > 0 && isLeftOut(segment));
    root = segments.length > 1 ? (segments[0] ?? "") : "";
    if (at === -1) found.push({ path, open: () => Promise.resolve(file) });
    else hidden.add(segments.slice(0, at + 1).join("/"));
  }
  const only = list.length === 1 ? list[0]?.name : undefined;
  return selection(root || only || `${list.length} files`, found, hidden.size);
}
