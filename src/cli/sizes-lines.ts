import type { StoreSizes, StoreStats } from "../node.ts";
import { formatBytes, formatCount } from "./format.ts";
import { printable } from "./printable.ts";

/** Returns where the bytes of a database are, as lines for people. */
export function sizesLines({ databaseBytes, freeBytes, blobBytes }: StoreStats, sizes: StoreSizes): string[] {
  return [
    `Of the database ${formatBytes(blobBytes)} are contents of files, ${formatBytes(freeBytes)} are free${freeBytes > databaseBytes / 4 ? ": lodestore vacuum" : ""}`,
    ...(sizes.measured ? [] : ["This engine does not tell bytes by table"]),
    "Tables and indexes:",
    ...objectLines(sizes),
    ...sizes.textIndexes.map(
      ({ name, indexed, expected, segments, inStep }) =>
        `Text index ${name}: ${formatCount(indexed)} of ${formatCount(expected)}, ${formatCount(segments)} segments, ${inStep ? "in step" : "OUT OF STEP: lodestore doctor --fix"}`,
    ),
  ];
}

function objectLines({ objects, otherBytes }: StoreSizes): string[] {
  const cells = objects.map(({ name, kind, rows, bytes }) => [
    printable(name),
    kind,
    rows === null ? "" : formatCount(rows),
    bytes === null ? "?" : formatBytes(bytes),
  ]);
  if (otherBytes !== null) cells.push(["(bookkeeping)", "", "", formatBytes(otherBytes)]);
  const header = ["name", "kind", "rows", "bytes"];
  const width = (at: number): number => Math.max(...[header, ...cells].map((row) => row[at]?.length ?? 0));
  const widths = header.map((_, at) => width(at));
  return [header, ...cells].map((row) => {
    const [name = "", kind = "", rows = "", bytes = ""] = row;
    const [a = 0, b = 0, c = 0, d = 0] = widths;
    return `  ${name.padEnd(a)}  ${kind.padEnd(b)}  ${rows.padStart(c)}  ${bytes.padStart(d)}`;
  });
}
