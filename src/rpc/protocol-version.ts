/** Version of the messages in protocol.ts. Raised with every change to them; both sides must have the same. */
export const PROTOCOL_VERSION = 2;
