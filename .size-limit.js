// What a page downloads, minified and compressed: the entry points with all that they export and their dependencies, and SQLite's wasm
// apart. What a page does not use of an entry point a bundler leaves out: the report of evaluations, for one.
const bundled = (name, path, limit) => ({
  name,
  path,
  limit,
  gzip: true,
  modifyEsbuildConfig: (config) => ({ ...config, format: "esm" }),
});

export default [
  bundled("lodestore", "dist/index.js", "8 kB"),
  bundled("lodestore/browser, which a page loads", "dist/browser.js", "20 kB"),
  bundled("lodestore/blobs-idb, for pages that keep files of their own", "dist/blobs-idb.js", "5 kB"),
  bundled("lodestore/worker, which it loads in the background", "dist/worker.js", "354 kB"),
  {
    name: "hnsw.wasm, which the worker loads",
    path: "wasm/hnsw.wasm",
    limit: "16 kB",
    gzip: true,
    disablePlugins: ["@size-limit/esbuild"],
  },
  {
    name: "sqlite3.wasm, which the worker loads",
    path: "node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm",
    limit: "420 kB",
    gzip: true,
    disablePlugins: ["@size-limit/esbuild"],
  },
];
