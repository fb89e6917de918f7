/** Keys of asset bytes begin like this, in the database and beside it. */
export const ASSET_PREFIX = "_assets/";

const KEY = /^_assets\/([0-9a-f]{2})\/([0-9a-f]{2})\/(\1\2[0-9a-f]{60})$/u;

/** The key of an asset's bytes beside the database: two levels of folders, so that none has more than a few hundred entries with a
 *  million assets. */
export function externalKey(contentHash: string): string {
  return `${ASSET_PREFIX}${contentHash.slice(0, 2)}/${contentHash.slice(2, 4)}/${contentHash}`;
}

/** The content hash whose bytes this key is for, `undefined` where it is no such key. */
export function hashOfKey(key: string): string | undefined {
  return KEY.exec(key)?.[3];
}
