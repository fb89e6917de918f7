import type { PeerMessage } from "./protocol.ts";

/** Sends a message. Does nothing once the connection is over.
 *  @throws DataCloneError */
export type Post = (message: PeerMessage, transfer?: Transferable[]) => void;

/** Why a connection is over: OWNER_LOST when it was lost, CLOSED when this side closed it. */
export interface Ending {
  code: "OWNER_LOST" | "CLOSED";
  message: string;
  cause: unknown;
}

/** The target id of the root object. */
export const ROOT_ID = 0;
