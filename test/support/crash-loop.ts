import type { Embedder } from "../../src/contracts/embedder.ts";
import type { Store } from "../../src/contracts/store.ts";
import type { StepHook } from "./apart-vector-store.ts";
import type { CrashLine, CrashOrder, CrashStep } from "./crash-steps.ts";
import { TestEmbedder } from "./test-embedder.ts";

/** What a loop runs on. */
export interface CrashPlace {
  order: CrashOrder;
  /** Opens the store. */
  open(embedder: Embedder, embedOnOpen: boolean): Promise<Store>;
  /** Tells whoever kills: it has heard before this resolves. */
  say(line: CrashLine): void | Promise<void>;
}

/** Ingests, embeds, re-embeds, puts and deletes until its process or worker is killed. */
export async function crashLoop({ order, open, say }: CrashPlace): Promise<never> {
  let random = order.seed;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  const openAs = (version: string): Promise<Store> => open(new TestEmbedder(version, 3), next(2) === 0);
  const text = (): string =>
    Array.from({ length: 1 + next(5) }, (_, n) => `## Part ${n}\n\nkiln ${next(9)} glaze ${next(9)}\n`).join("\n");

  let version = String(1 + next(3));
  let store = await openAs(version);
  const take = async (step: CrashStep): Promise<void> => {
    await say({ begin: step });
    await perform(store, step, next);
    await say({ done: step });
  };
  await say({ ready: true });
  if (order.first) await take({ kind: "write", path: "anchor.md", text: text() });
  for (;;) {
    const path = `${next(5)}.md`;
    const die = next(20);
    if (die < 9) await take({ kind: "write", path, text: text() });
    else if (die < 12) await take({ kind: "delete", path });
    else if (die < 15) await take({ kind: "run", version });
    else if (die < 16) await take({ kind: "put", version });
    else if (die < 18) await take({ kind: "sweep" });
    else {
      await store.close();
      version = String(1 + next(3));
      store = await openAs(version);
      await take({ kind: "run", version });
    }
  }
}

async function perform(store: Store, step: CrashStep, next: (below: number) => number): Promise<void> {
  switch (step.kind) {
    case "write":
      await store.ingest({ path: step.path, content: step.text }, { embed: next(2) === 0 ? "background" : "off" });
      return;
    case "delete": {
      const document = await store.documents.getDocumentByWorkspacePath(step.path);
      if (document !== undefined) await store.documents.deleteDocument(document.id);
      return;
    }
    case "run":
      await store.embeddings.run();
      return;
    case "put":
      for (const path of await store.documents.allWorkspacePaths()) {
        const chunkIds = await store.documents.staleChunkIdsAt(path);
        const vector = (): Float32Array => Float32Array.from({ length: 16 }, () => 1 + next(9));
        const generation = { modelId: "test", modelVersion: step.version, dimensions: 16 };
        await store.embeddings.put(
          generation,
          chunkIds.map((chunkId) => ({ chunkId, vector: vector() })),
        );
      }
      return;
    case "sweep":
      await store.embeddings.sweep({ pendingOlderThanMs: 0 });
      return;
  }
}

/** Returns the hook that calls `kill` at the step of the order. */
export function killAt(order: CrashOrder, kill: StepHook): StepHook {
  let occurrence = 0;
  return (step) => (step === order.step && ++occurrence >= order.occurrence ? kill(step) : undefined);
}
