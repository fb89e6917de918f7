/** How a document store writes: `compact`, or `plain`, as releases before that one wrote. It reads both. */
export type StorageStyle = "compact" | "plain";
