import { afterEach, beforeEach, describe } from "vitest";
import type { DocumentStore } from "../../src/contracts/documents.ts";
import type { Jobs } from "../../src/contracts/jobs.ts";
import { jobEndCases } from "./jobs/end-cases.ts";
import { jobInputCases } from "./jobs/input-cases.ts";
import { jobListCases } from "./jobs/list-cases.ts";
import { jobWorkCases } from "./jobs/work-cases.ts";

/** Jobs that are opened for one test, with the documents beside them. */
export interface OpenJobs {
  jobs: Jobs;
  documents: DocumentStore;
  close(): Promise<void>;
}

/** What all jobs do, seen through their contract alone. @param open Opens a store without any. */
export function jobsConformance(driver: string, open: () => Promise<OpenJobs>): void {
  describe(`jobs ${driver}`, () => {
    let opened: OpenJobs;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const jobs = (): Jobs => opened.jobs;
    describe("work", () => jobWorkCases(jobs, () => opened.documents));
    describe("end", () => jobEndCases(jobs));
    describe("list", () => jobListCases(jobs));
    describe("input", () => jobInputCases(jobs));
  });
}
