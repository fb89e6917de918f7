import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where the committed kernel lies. */
export const kernelPath = fileURLToPath(new URL("../../wasm/hnsw.wasm", import.meta.url));

/** The kernel under test: the committed one, or the file that LODESTORE_KERNEL names, which is how broken ones are tried. */
export const builtKernel = new WebAssembly.Module(readFileSync(process.env["LODESTORE_KERNEL"] ?? kernelPath));
