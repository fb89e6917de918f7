import type { ChangeTopic, SubscribeOptions } from "./changes.ts";
import { type CallSite, requireInteger, requireList, requireObject, requireOneOf, requireSignal } from "./validate.ts";

export const CHANGE_TOPICS: readonly ChangeTopic[] = [
  "documents",
  "embeddings",
  "jobs",
  "chat",
  "answers",
  "evaluations",
];
/** Most topics named at once: each may be named again. */
const MAX_TOPICS = 100;

/** Options of a subscription that were checked. */
export interface CheckedSubscription {
  topics: ReadonlySet<ChangeTopic>;
  since: number | undefined;
  signal: AbortSignal | undefined;
}

/** Returns the options of a subscription. @throws StorageError INVALID_INPUT */
export function checkSubscribeOptions(site: CallSite, options: SubscribeOptions): CheckedSubscription {
  const { topics, since } = requireObject(site, "options", options, ["topics", "since", "signal"]);
  const asked = topics === undefined ? CHANGE_TOPICS : requireList(site, "options.topics", topics, 1, MAX_TOPICS);
  return {
    topics: new Set(asked.map((topic, i) => requireOneOf(site, `options.topics[${i}]`, topic, CHANGE_TOPICS))),
    since: since === undefined ? undefined : requireInteger(site, "options.since", since, 0, Number.MAX_SAFE_INTEGER),
    signal: requireSignal(site, options),
  };
}
