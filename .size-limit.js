// What a page downloads, minified and compressed: the entry points with their dependencies, and SQLite's wasm apart.
const bundled = (name, path, limit) => ({
  name,
  path,
  limit,
  gzip: true,
  modifyEsbuildConfig: (config) => ({ ...config, format: "esm" }),
});

export default [
  bundled("lodestore", "dist/index.js", "4 kB"),
  bundled("lodestore/browser, which a page loads", "dist/browser.js", "12 kB"),
  bundled("lodestore/worker, which it loads in the background", "dist/worker.js", "312 kB"),
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
