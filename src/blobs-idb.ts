export { deleteIdbBlobs, openIdbBlobs } from "./drivers/blobs-idb.ts";
