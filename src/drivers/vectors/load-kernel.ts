import { StorageError } from "../../errors.ts";

/** Compiles the vector kernel, `wasm/hnsw.wasm`, from where it lies.
 *  @throws StorageError UNSUPPORTED (it is not there, or this engine has no SIMD) */
export async function loadKernel(url: string | URL): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    // Compiled from bytes: servers that do not know the type of .wasm files are common.
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError(
      "UNSUPPORTED",
      `the vector kernel cannot be loaded from ${String(url)}: ${reason}; where the bundler does not copy hnsw.wasm, pass its address as "kernelUrl"`,
      { capability: "vectors", operation: "open", cause },
    );
  }
}
