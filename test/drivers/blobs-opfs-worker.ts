import type { BlobStore } from "../../src/contracts/blobs.ts";
import { openOpfsBlobs } from "../../src/drivers/blobs-opfs.ts";
import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";

/** A file of the origin's private file system, by its path. */
async function fileAt(path: string): Promise<FileSystemFileHandle> {
  const names = path.split("/");
  const file = names.pop() as string;
  let folder = await navigator.storage.getDirectory();
  for (const name of names) folder = await folder.getDirectoryHandle(name);
  return folder.getFileHandle(file);
}

/** Opens blobs in this worker, and damages them, for tests in the page. */
export class OpfsBlobsHost {
  open(name: string): Promise<BlobStore> {
    return openOpfsBlobs({ name });
  }

  async files(name: string): Promise<string[]> {
    const root = await navigator.storage.getDirectory();
    const folder = await (
      await (await root.getDirectoryHandle(".lodestore")).getDirectoryHandle(name)
    ).getDirectoryHandle("blobs");
    const names: string[] = [];
    for await (const handle of folder.values()) names.push(handle.name);
    return names.sort();
  }

  async read(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await (await fileAt(path)).getFile()).arrayBuffer());
  }

  /** Writes a file whole, making it when absent. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const folderPath = path.slice(0, path.lastIndexOf("/"));
    let folder = await navigator.storage.getDirectory();
    for (const name of folderPath.split("/")) folder = await folder.getDirectoryHandle(name);
    const file = await folder.getFileHandle(path.slice(path.lastIndexOf("/") + 1), { create: true });
    const handle = await file.createSyncAccessHandle();
    handle.truncate(0);
    handle.write(bytes, { at: 0 });
    handle.close();
  }
}

serve(workerScopeEndpoint(), new OpfsBlobsHost());
