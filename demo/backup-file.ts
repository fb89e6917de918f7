/** What Chromium has and others do not yet. @see https://wicg.github.io/file-system-access/ */
interface SavePicker {
  showSaveFilePicker?: (options: {
    suggestedName: string;
    types: { description: string; accept: Record<string, string[]> }[];
  }) => Promise<FileSystemFileHandle>;
}

/** Where a backup goes. */
export interface BackupFile {
  write(bytes: Uint8Array): Promise<void>;
  /** The file is whole: keeps it. */
  finish(): Promise<void>;
  /** Leaves no file. */
  discard(): Promise<void>;
}

/** Asks where to put a backup. Must be called while the click counts that asked for it.
 *  @returns `null` when the person thought better of it. */
export async function chooseBackupFile(name: string): Promise<BackupFile | null> {
  const { showSaveFilePicker } = globalThis as SavePicker;
  if (showSaveFilePicker === undefined) return downloadedFile(name);
  let handle: FileSystemFileHandle;
  try {
    handle = await showSaveFilePicker({
      suggestedName: name,
      types: [{ description: "Lodestore archive", accept: { "application/x-tar": [".tar"] } }],
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
  const file = await handle.createWritable();
  return {
    write: (bytes) => file.write(new Uint8Array(bytes)),
    finish: () => file.close(),
    discard: () => file.abort(),
  };
}

/** Bytes between two blobs, which browsers keep on disk. */
const PART_BYTES = 8 * 1024 * 1024;

/** A file that the browser downloads when it is whole. */
function downloadedFile(name: string): BackupFile {
  const parts: Blob[] = [];
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  return {
    write: async (bytes) => {
      pieces.push(new Uint8Array(bytes));
      size += bytes.byteLength;
      if (size < PART_BYTES) return;
      parts.push(new Blob(pieces));
      pieces = [];
      size = 0;
    },
    finish: async () => {
      const url = URL.createObjectURL(new Blob([...parts, ...pieces], { type: "application/x-tar" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      // The download begins with the click; the address may go once the browser has read it.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
    discard: async () => {
      parts.length = 0;
      pieces = [];
    },
  };
}
