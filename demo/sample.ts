import type { IngestFile } from "lodestore";

const SOURCES = import.meta.glob<string>(["../README.md", "../DESIGN.md", "../CONTRIBUTING.md", "../CHANGELOG.md"], {
  query: "?raw",
  import: "default",
});

/** Number of files in the sample. */
export const sampleSize: number = Object.keys(SOURCES).length;

/** The project's own documentation, bundled with the page: nothing is fetched from elsewhere. */
export async function* sampleFiles(): AsyncGenerator<IngestFile> {
  for (const [path, load] of Object.entries(SOURCES)) {
    yield {
      path: path.replace("../", "lodestore/"),
      content: await load(),
      lang: "en",
      tags: ["sample"],
    };
  }
}
