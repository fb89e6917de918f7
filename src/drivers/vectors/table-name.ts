/** Returns a name `chunk_embeddings_<model>_<dimensions>` that is free: what a name cannot hold becomes `_`, and where that makes two
 *  models one, a number follows. */
export async function freeTableName(
  { modelId, dimensions }: { modelId: string; dimensions: number },
  isTaken: (name: string) => Promise<boolean>,
): Promise<string> {
  const model = modelId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .slice(0, 80);
  const name = `chunk_embeddings_${model}_${dimensions}`;
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}_${n}`;
    if (!(await isTaken(candidate))) return candidate;
  }
}
