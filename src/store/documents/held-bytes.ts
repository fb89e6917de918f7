/** Bytes that lie in the blob store beside the database, and stay there until they are let go. */
export interface HeldBytes {
  readonly contentHash: string;
  readonly byteLength: number;
  /** Whether they were there already. */
  readonly found: boolean;
  /** Lets go of them: those that no row names by then are deleted. Called once, when the row is committed or will not be. */
  letGo(): Promise<void>;
}
