import { afterEach, beforeEach, describe } from "vitest";
import type { DocumentStore } from "../../src/contracts/documents.ts";
import { documentAssetCases } from "./document-store/asset-cases.ts";
import { documentBytesCases } from "./document-store/bytes-cases.ts";
import { documentInputCases } from "./document-store/input-cases.ts";
import { documentListingCases } from "./document-store/listing-cases.ts";
import { documentReadingCases } from "./document-store/reading-cases.ts";
import { documentWritingCases } from "./document-store/writing-cases.ts";

/** A document store that is opened for one test. */
export interface OpenDocumentStore {
  documents: DocumentStore;
  close(): Promise<void>;
}

/** What every document store does, seen through its contract alone. @param open Opens an empty one. */
export function documentStoreConformance(driver: string, open: () => Promise<OpenDocumentStore>): void {
  describe(`document store ${driver}`, () => {
    let opened: OpenDocumentStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const documents = (): DocumentStore => opened.documents;
    describe("writing", () => documentWritingCases(documents));
    describe("reading", () => documentReadingCases(documents));
    describe("bytes", () => documentBytesCases(documents));
    describe("listing", () => documentListingCases(documents));
    describe("assets", () => documentAssetCases(documents));
    describe("input", () => documentInputCases(documents));
  });
}
