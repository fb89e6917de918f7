import { afterEach, beforeEach, describe } from "vitest";
import type { ChatSessions } from "../../src/contracts/chat.ts";
import type { DocumentStore } from "../../src/contracts/documents.ts";
import { chatCitationCases } from "./chat-sessions/citation-cases.ts";
import { chatExportCases } from "./chat-sessions/export-cases.ts";
import { chatInputCases } from "./chat-sessions/input-cases.ts";
import { chatSearchCases } from "./chat-sessions/search-cases.ts";
import { chatSessionCases } from "./chat-sessions/session-cases.ts";
import { chatTurnCases } from "./chat-sessions/turn-cases.ts";

/** Chat sessions that are opened for one test, with the documents that they cite. */
export interface OpenChat {
  chat: ChatSessions;
  documents: DocumentStore;
  close(): Promise<void>;
}

/** What all chat sessions do, seen through their contract alone. @param open Opens a store without any. */
export function chatSessionsConformance(driver: string, open: () => Promise<OpenChat>): void {
  describe(`chat sessions ${driver}`, () => {
    let opened: OpenChat;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const chat = (): ChatSessions => opened.chat;
    const documents = (): DocumentStore => opened.documents;
    describe("sessions", () => chatSessionCases(chat, documents));
    describe("turns", () => chatTurnCases(chat, documents));
    describe("citations", () => chatCitationCases(chat, documents));
    describe("search", () => chatSearchCases(chat));
    describe("export", () => chatExportCases(chat));
    describe("input", () => chatInputCases(chat));
  });
}
