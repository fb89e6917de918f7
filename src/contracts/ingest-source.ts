/** A file and what the caller knows of it. A document that is taken in has what its file says now. A file whose bytes are as before is
 *  skipped when every attribute that is given is, too: what is not given is not compared, and stays. Tags and metadata that are given
 *  are all there are, but for those that the text itself states. */
export interface IngestFile {
  /** Workspace path: relative, `/`-separated, at most 1024 characters. */
  path: string;
  /** The bytes, a text, a `Blob` or `File`, or a function that reads them when their turn comes. Bytes are copied then, and their buffer
   *  may be used again; a source whose store is in a worker is read ahead, and leaves them as they are until the ingest has ended. */
  content: Uint8Array | string | Blob | (() => Promise<Uint8Array>);
  /** Size in bytes where it is known before reading; larger than the limit is refused unread. */
  sizeBytes?: number;
  /** Guessed from the path's ending when absent. */
  mediaType?: string;
  /** Title, where it is known better than from the content. */
  title?: string;
  lang?: string;
  tags?: readonly string[];
  trust?: number;
  sourceType?: string;
  metadata?: Record<string, unknown>;
}

/** One file, or any number of them. */
export type IngestSource = IngestFile | Iterable<IngestFile> | AsyncIterable<IngestFile>;
