const NUMBER = new Intl.NumberFormat("en");
const ONE_DIGIT = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** `12,345`. */
export function formatCount(count: number): string {
  return NUMBER.format(count);
}

/** `1 document`, `2 documents`. */
export function formatCountOf(count: number, one: string, many = `${one}s`): string {
  return `${NUMBER.format(count)} ${count === 1 ? one : many}`;
}

/** `0 bytes`, `820 bytes`, `3.4 KB`, `12 MB`; 1 KB is 1,024 bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return formatCountOf(bytes, "byte");
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${(value < 10 ? ONE_DIGIT : NUMBER).format(value < 10 ? value : Math.round(value))} ${units[unit] ?? ""}`;
}

/** `0.4 ms`, `12 ms`, `3.2 s`, `2 min 5 s`, `1 h 4 min`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ONE_DIGIT.format(ms)} ms`;
  if (ms < 1000) return `${NUMBER.format(Math.round(ms))} ms`;
  if (ms < 60_000) return `${ONE_DIGIT.format(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Date and time in the reader's own style. */
export function formatTime(millisecondsSince1970: number): string {
  return DATE_TIME.format(millisecondsSince1970);
}

const LANGUAGES = new Intl.DisplayNames(["en"], { type: "language" });

/** `German` for `de`; the tag itself where it has no name. */
export function languageName(tag: string): string {
  try {
    return LANGUAGES.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

const MEDIA_NAMES: Readonly<Record<string, string>> = {
  "text/markdown": "Markdown",
  "text/mdx": "MDX",
  "text/html": "HTML",
  "text/plain": "Plain text",
};

/** `Markdown` for `text/markdown`; the media type itself where it has no short name. */
export function mediaTypeName(mediaType: string): string {
  return MEDIA_NAMES[mediaType] ?? mediaType;
}
