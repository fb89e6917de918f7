import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type * as sqlMemory from "../../src/drivers/sql-memory.ts";

const url = new URL(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"));
const bytes = Uint8Array.from(readFileSync(url));

// The source counts once per thread: every test loads the driver anew.
beforeEach(() => vi.resetModules());
const driver = (): Promise<typeof sqlMemory> => import("../../src/drivers/sql-memory.ts");

describe("where sqlite3.wasm comes from", () => {
  it.each([
    ["a URL", url],
    ["an address as text", fileURLToPath(url)],
    ["its bytes", bytes.buffer],
    ["the compiled module", new WebAssembly.Module(bytes)],
  ])("may be %s", async (_, module) => {
    const { openSqlMemory } = await driver();
    await using db = await openSqlMemory({ functions: {}, module });
    expect(await db.get("SELECT 1 AS one")).toEqual({ one: 1 });
  });

  it("is a DRIVER error where it cannot be loaded, and the next open tries again", async () => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { openSqlMemory } = await driver();
    const failed = openSqlMemory({ functions: {}, module: new ArrayBuffer(8) });
    await expect(failed).rejects.toMatchObject({ name: "StorageError", code: "DRIVER", operation: "open" });
    await using db = await openSqlMemory({ functions: {} });
    expect(await db.get("SELECT 1 AS one")).toEqual({ one: 1 });
    printed.mockRestore();
  });
});
