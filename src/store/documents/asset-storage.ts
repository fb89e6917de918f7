import type { AssetStorage } from "../../contracts/assets.ts";
import type { StreamingBlobStore } from "../../contracts/blobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";

interface Place {
  place: "database" | "external" | "referenced";
  assets: number;
  bytes: number;
}

/** Adds up where the bytes of assets are, from their rows. */
export async function readAssetStorage(db: SqlExecutor, blobs: StreamingBlobStore | undefined): Promise<AssetStorage> {
  const places = await db.all<Place>(
    `SELECT CASE WHEN blob_key IS NULL THEN 'referenced' WHEN blob_store IS NULL THEN 'database' ELSE blob_store END AS place,
            count(*) AS assets, sum(byte_length) AS bytes FROM assets GROUP BY 1`,
  );
  const totals = await db.get<{ logical: number; distinct_bytes: number }>(
    `SELECT coalesce(sum(a.byte_length * d.n), 0) AS logical, coalesce(sum(a.byte_length), 0) AS distinct_bytes
     FROM (SELECT asset_id, count(*) AS n FROM documents GROUP BY asset_id) d JOIN assets a ON a.asset_id = d.asset_id`,
  );
  const at = (place: Place["place"]): { assets: number; bytes: number } => {
    const { assets = 0, bytes = 0 } = places.find((one) => one.place === place) ?? {};
    return { assets, bytes };
  };
  const { logical: logicalBytes = 0, distinct_bytes: distinctBytes = 0 } = totals ?? {};
  return {
    logicalBytes,
    distinctBytes,
    deduplicatedBytes: logicalBytes - distinctBytes,
    inDatabase: at("database"),
    external: { ...at("external"), driver: (await blobs?.capabilities())?.driver ?? null },
    referenced: at("referenced"),
  };
}
