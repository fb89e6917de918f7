import type { IngestFailure } from "../node.ts";

/** What a walk left out, and what it could not read. */
export interface WalkNotes {
  hiddenFolders: number;
  hiddenFiles: number;
  /** Folders named `node_modules`. */
  nodeModules: number;
  /** Files with an ending that says they hold no text, by ending. */
  binary: Record<string, number>;
  /** Files and folders that `--exclude` names. */
  excluded: number;
  /** Files that no `--include` names. */
  notIncluded: number;
  /** Links to folders that the walk takes in anyway, or that lead back to where they stand. */
  linkedAgain: number;
  /** Sockets, pipes and devices. */
  special: number;
  /** Folders of stores: the one that is written to. */
  stores: number;
  /** Folders, links and files that could not be read, and files whose path was taken. */
  problems: IngestFailure[];
}

export function createWalkNotes(): WalkNotes {
  return {
    hiddenFolders: 0,
    hiddenFiles: 0,
    nodeModules: 0,
    binary: {},
    excluded: 0,
    notIncluded: 0,
    linkedAgain: 0,
    special: 0,
    stores: 0,
    problems: [],
  };
}
