import type { OpenReport, Store, VectorIndexInfo, VectorTableInfo } from "lodestore";
import { button, descriptionList, element } from "./element.ts";
import { errorText } from "./error-text.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "./quantities.ts";

const SAMPLE = 100;

/** The vector indexes: what is in each, how it is searched, what it costs and how it opened. */
export async function indexReport(store: Store, opened: OpenReport): Promise<HTMLElement[]> {
  const [tables, status] = await Promise.all([store.embeddings.indexes(), store.embeddings.status()]);
  if (tables.length === 0) return [element("p", { class: "hint" }, "No passage has been embedded yet.")];
  return tables.flatMap((table) =>
    table.generations.map((index) => {
      const generation = status.generations.find(
        (one) =>
          one.modelId === table.modelId &&
          one.modelVersion === index.modelVersion &&
          one.dimensions === table.dimensions,
      );
      const report = opened.indexes.find(
        (one) => one.tableName === table.tableName && one.modelVersion === index.modelVersion,
      );
      return element(
        "div",
        { class: "index", "data-testid": "index" },
        element(
          "h4",
          {},
          `${table.modelId} ${index.modelVersion}`,
          generation && element("span", { class: "badge" }, generation.role),
        ),
        descriptionList([
          ["Searched by", index.engine === "flat" ? "comparing all vectors" : "walking a graph (HNSW)"],
          [
            "Vectors",
            `${formatCount(index.vectors)} × ${table.dimensions}, ${table.metric}, ${index.quantization === "sq8" ? "8-bit codes" : "32-bit floats"}`,
          ],
          [
            "In the graph",
            index.engine === "flat"
              ? null
              : `${formatCount(index.linked)} linked, ${formatCount(index.unlinked)} waiting`,
          ],
          ["Nodes per level", index.levels.map(formatCount).join(" · ")],
          ["Tombstones", generation === undefined ? null : formatCount(generation.tombstones)],
          ["Memory", memoryText(index)],
          ["Snapshot", snapshotText(index)],
          ["Opened", report === undefined ? null : openedText(report)],
          ["Held up by", table.lastError === null ? null : errorText(table.lastError)],
        ]),
        recallCheck(store, table, index),
      );
    }),
  );
}

function memoryText(index: VectorIndexInfo): string {
  const each = index.vectors === 0 ? "" : ` (${formatBytes(Math.round(index.memoryBytes / index.vectors))} a vector)`;
  return `${formatBytes(index.memoryBytes)}${each}`;
}

function snapshotText({ snapshot }: VectorIndexInfo): string {
  if (snapshot === null) return "none: the index is made from the rows";
  return `${formatBytes(snapshot.sizeBytes)} of ${formatTime(snapshot.createdAt)}`;
}

function openedText(report: OpenReport["indexes"][number]): string {
  const how = report.source === "snapshot" ? "from its snapshot" : "made from the rows";
  const newer = report.replayed > 0 ? `, ${formatCount(report.replayed)} newer changes` : "";
  const why = report.reason === null ? "" : ` (${report.reason})`;
  return `${how} in ${formatDuration(report.elapsedMs)}${newer}${why}`;
}

/** Compares the index with the exact scan on some of its own vectors. */
function recallCheck(store: Store, table: VectorTableInfo, index: VectorIndexInfo): HTMLElement {
  const result = element("span", { role: "status", "data-testid": "recall" });
  const measure = button({ "data-testid": "measure-recall", onclick: () => void run() }, "Measure recall");

  async function run(): Promise<void> {
    measure.disabled = true;
    result.textContent = "Searching with a sample…";
    try {
      const { recall, sample } = await store.embeddings.selfCheck(table.indexId, index.modelVersion, {
        sample: SAMPLE,
      });
      result.textContent = `recall@10 ${recall.toFixed(3)} on ${formatCount(sample)} of its own vectors`;
    } catch (error) {
      result.textContent = errorText(error);
    } finally {
      measure.disabled = false;
    }
  }

  return element("p", { class: "recall" }, measure, result);
}
