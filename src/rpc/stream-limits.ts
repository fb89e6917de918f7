/** Items the first pull asks for. Each pull doubles it up to the largest, so that a loop left early reads little ahead. */
export const FIRST_BATCH = 16;

/** Most items in one batch. At most two batches are ahead of the consumer: one arrived, one on its way. */
export const LARGEST_BATCH = 256;

/** A batch is sent when it holds this many characters and bytes. */
export const BATCH_WEIGHT = 1_048_576;

/** A batch is sent when its first item has waited this long, in milliseconds. */
export const BATCH_WAIT_MS = 4;
