import { type CallSite, requireInteger, requireObject, requireText } from "./validate.ts";

/** Most items of a page. */
export const MAX_PAGE_LIMIT = 1000;
/** Items of a page when none are asked for. */
export const DEFAULT_PAGE_LIMIT = 50;
/** Longest cursor: the longest path in UTF-8, as base64, with room for the rest. */
const MAX_CURSOR_LENGTH = 8192;

/** Checks a page request; what it leaves out gets its default. */
export function checkPage(site: CallSite, page: unknown): { limit: number; cursor: string | undefined } {
  if (page === undefined) return { limit: DEFAULT_PAGE_LIMIT, cursor: undefined };
  const { limit, cursor } = requireObject(site, "page", page, ["limit", "cursor"]);
  const inner: CallSite = { ...site, within: "page" };
  return {
    limit: limit === undefined ? DEFAULT_PAGE_LIMIT : requireInteger(inner, "limit", limit, 1, MAX_PAGE_LIMIT),
    cursor: cursor === undefined ? undefined : requireText(inner, "cursor", cursor, { max: MAX_CURSOR_LENGTH }),
  };
}
