import { anySignal } from "../../contracts/any-signal.ts";
import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "../../contracts/archive.ts";
import { checkArchiveOptions, requireArchive } from "../../contracts/check-archive.ts";
import { archiveError } from "./archive-error.ts";
import { archivePieces } from "./archive-stream.ts";
import { type ArchiveParts, exportArchive } from "./export-archive.ts";
import { importArchive } from "./import-archive.ts";

/** Exports and imports of a store, which end when it closes. */
export class StoreArchive {
  readonly #parts: ArchiveParts;
  /** Ends what runs when the store closes. */
  readonly #closing: AbortSignal;
  #import: Promise<unknown> | undefined;

  constructor(parts: ArchiveParts, closing: AbortSignal) {
    this.#parts = parts;
    this.#closing = closing;
  }

  export(options: unknown): AsyncIterableIterator<Uint8Array> {
    const checked = checkArchiveOptions({ capability: "archive", operation: "export" }, options);
    return exportArchive(this.#parts, checked, this.#signalOf(checked));
  }

  /** @throws StorageError CONFLICT another import runs */
  async import(archive: ArchiveSource, options: unknown): Promise<ArchiveImportReport> {
    const site = { capability: "archive", operation: "import" } as const;
    const checked = checkArchiveOptions(site, options);
    const bytes = requireArchive(site, archive);
    if (this.#import !== undefined) {
      throw archiveError("CONFLICT", "import", "an archive is being imported already");
    }
    const signal = this.#signalOf(checked);
    const run = importArchive(this.#parts, archivePieces(bytes, signal), checked, signal);
    this.#import = run.catch(nothing);
    try {
      return await run;
    } finally {
      this.#import = undefined;
    }
  }

  /** Resolves when no import runs. Exports end with their files, which the database closes. */
  async idle(): Promise<void> {
    await this.#import;
  }

  #signalOf({ signal }: ArchiveOptions): AbortSignal {
    return anySignal(signal, this.#closing);
  }
}

function nothing(): void {}
