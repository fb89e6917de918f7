import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { notes, openNodeStore, storeFolder } from "../support/open-node-store.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/node/store-child.ts");

/** Starts a process that does this with the store of a folder, and waits for what it says first. */
async function startChild(what: string, dir: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [CHILD, what, dir], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, said };
}

describe("a folder that is open for writing", () => {
  test("is CONFLICT to the second in the same process, which says how it could read", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir });
    await expect(openStore({ dir })).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("readOnly") as string,
      retryable: false,
    });
    await store.ingest(notes(2));
    await store.close();
    const again = await openNodeStore({ dir });
    expect(await again.documents.countDocuments()).toBe(2);
  });

  test("goes to one of those who come at the same moment", async () => {
    const dir = storeFolder();
    const opened = await Promise.allSettled(Array.from({ length: 5 }, () => openNodeStore({ dir, readers: 0 })));
    const codes = opened.map((one) => (one.status === "fulfilled" ? "open" : (one.reason as { code: string }).code));
    expect(codes.sort()).toEqual(["CONFLICT", "CONFLICT", "CONFLICT", "CONFLICT", "open"]);
  });

  test("is CONFLICT to another process, and free when this one has closed it", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir });
    await store.ingest(notes(3));
    expect((await startChild("write", dir)).said).toBe("CONFLICT");
    expect((await startChild("read", dir)).said).toBe("3");
    await store.close();
    expect((await startChild("write", dir)).said).toBe("open");
  });

  test("is free when the process is killed that had it", async () => {
    const dir = storeFolder();
    const { child, said } = await startChild("hold", dir);
    expect(said).toBe("open");
    await expect(openStore({ dir })).rejects.toMatchObject({ code: "CONFLICT" });
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = await openNodeStore({ dir });
    await store.ingest(notes(1));
    expect((await store.search({ text: "kiln" })).hits.length).toBeGreaterThan(0);
  });

  test("is read beside that by any number, who see what is committed", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, embedder: { kind: "hashing" } });
    await store.ingest(notes(3), { embed: "wait" });
    const one = await openNodeStore({ dir, readOnly: true, embedder: { kind: "hashing" } });
    const two = await openNodeStore({ dir, readOnly: true });
    expect((await one.search({ text: "number2" })).hits).toHaveLength(1);
    await store.ingest([{ path: "new.md", content: "# New\n\nThe celadon." }], { embed: "wait" });
    expect((await one.search({ text: "celadon" })).hits).toHaveLength(1);
    expect((await two.search({ text: "celadon" })).hits).toHaveLength(1);
    expect((await one.search({ text: "celadon", mode: "vector", k: 1 })).hits[0]?.title).toBe("New");
    await store.close();
    expect((await two.search({ text: "celadon" })).hits).toHaveLength(1);
  });
});
