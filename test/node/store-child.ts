/** Does one thing with the store of a folder, in a process of its own, and says how that went. */
import { openStore } from "../../src/node.ts";

const [what, dir = ""] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  switch (what) {
    case "write": {
      await using _store = await openStore({ dir });
      say("open");
      break;
    }
    case "read": {
      await using store = await openStore({ dir, readOnly: true });
      say(String(await store.documents.countDocuments()));
      break;
    }
    // What keeps the vectors where nobody says.
    case "auto": {
      await using store = await openStore({ dir, embedder: { kind: "hashing" } });
      await store.ingest({ path: "a.md", content: "# A\n\nkiln" }, { embed: "wait" });
      const { hits } = await store.search({ text: "kiln", mode: "vector" });
      say(JSON.stringify({ hits: hits.length, vectors: (await store.openReport()).vectors }));
      break;
    }
    case "lance":
      await openStore({ dir, vectors: "lance" }).catch((error: Error) => {
        say(error.message);
        throw error;
      });
      break;
    // The process stays for as long as its standard input is open.
    case "hold":
      await openStore({ dir });
      process.stdin.resume();
      say("open");
      break;
    // Nothing but the store could keep the process from its end.
    case "forget": {
      const store = await openStore({ dir, vectors: "hnsw", embedder: { kind: "hashing" } });
      await store.ingest({ path: "a.md", content: "# A\n\nkiln" }, { embed: "wait" });
      say(String((await store.search({ text: "kiln", mode: "hybrid" })).hits.length));
      break;
    }
    case "close": {
      const store = await openStore({ dir, vectors: "hnsw", embedder: { kind: "hashing" }, readers: 2 });
      await store.ingest({ path: "a.md", content: "# A\n\nkiln" });
      await store.close();
      say(
        process
          .getActiveResourcesInfo()
          .filter((name) => name !== "PipeWrap")
          .join(),
      );
      break;
    }
    default:
      throw new Error(`there is nothing called ${String(what)} to do`);
  }
} catch (error) {
  say((error as { code?: string }).code ?? String(error));
}
