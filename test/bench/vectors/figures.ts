import type { Figure } from "../report.ts";
import type { Speed } from "./compare.ts";
import type { Engine } from "./engine.ts";

/** Takes what was measured; suite, data set and platform are added by who gives it. */
export type Emit = (figure: Omit<Figure, "suite">) => void;

/** Every engine's time to build, as a ratio to hnswlib-wasm's. */
export function reportBuilds(emit: Emit, engines: readonly Engine[], seconds: ReadonlyMap<string, number>): void {
  const baseline = seconds.get("hnswlib-wasm");
  for (const { name, parameters } of engines) {
    const value = seconds.get(name);
    if (value === undefined) continue;
    emit({
      case: `${name}, build, ${parameters}`,
      metric: "time",
      value,
      unit: "s",
      ...(baseline === undefined ? {} : { baseline, ratio: value / baseline }),
    });
  }
}

/** Every engine's speed, as a ratio to hnswlib-wasm's and, ours, to hnswlib-node's. */
export function reportSpeeds(emit: Emit, speeds: readonly Speed[]): void {
  for (const { engine, target, ef, recall, queriesPerSecond } of speeds) {
    for (const peer of ["hnswlib-wasm", "hnswlib-node"]) {
      const baseline = speeds.find((other) => other.engine === peer && other.target === target)?.queriesPerSecond;
      if (peer !== "hnswlib-wasm" && (engine !== "lodestore" || baseline === undefined)) continue;
      emit({
        case: `${engine}, recall ${target}, ef ${ef}`,
        metric: peer === "hnswlib-wasm" ? "queries/s" : `queries/s to ${peer}`,
        value: queriesPerSecond,
        unit: "1/s",
        recall,
        ...(baseline === undefined ? {} : { baseline, ratio: queriesPerSecond / baseline }),
      });
    }
  }
}
