import { expect, test } from "vitest";
import { kindName, originOf, reachOf } from "../../demo/jobs/job-facts.ts";

test("the progress of every kind of job is read, and what is no number is left out", () => {
  expect(
    reachOf({
      kind: "ingest",
      status: "running",
      progress: { done: 5, total: 20, added: 4, skipped: 0, failed: 1, bytes: 2048, leftMs: 2400 },
    }),
  ).toEqual({ share: 0.25, text: "5 of 20 files · 4 added · 1 failed · 2 KB · 2 s left" });
  expect(reachOf({ status: "running", kind: "reindex", progress: { indexesDone: 1, indexes: 2 } })).toEqual({
    share: 0.5,
    text: "1 of 2 indexes",
  });
  expect(reachOf({ status: "running", kind: "embed", progress: { done: 0, total: 0 } }).share).toBe(1);
  expect(reachOf({ status: "running", kind: "transcribe", progress: { done: 3, message: "part 3" } })).toEqual({
    share: null,
    text: "3 · part 3",
  });
  expect(
    reachOf({ status: "running", kind: "transcribe", progress: { done: "many", total: -1, message: {} } }),
  ).toEqual({
    share: null,
    text: "",
  });
  const progress = { done: 1, total: 2, leftMs: 9000 };
  expect(reachOf({ status: "interrupted", kind: "embed", progress }).text).toBe("1 of 2 passages");
  expect(reachOf({ status: "running", kind: "ingest", progress: null })).toEqual({ share: null, text: "" });
});

test("where an ingest of another program came from need not be known", () => {
  expect(originOf({ payload: { origin: { name: "notes", sample: true } } })).toEqual({ name: "notes", isSample: true });
  expect(originOf({ payload: { origin: { arguments: ["a"] } } })).toEqual({ name: "", isSample: false });
  expect(originOf({ payload: {} })).toEqual({ name: "", isSample: false });
  expect(kindName("transcribe")).toBe("transcribe");
});
