/** Settles as `work` does, but rejects as soon as the signal is aborted: work of the caller may hang for ever.
 *  @param error What it rejects with then. */
export function untilAborted<T>(
  work: PromiseLike<T>,
  signal: AbortSignal | undefined,
  error: (signal: AbortSignal) => Error,
): Promise<T> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(error(signal));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    const stay = (): void => signal.removeEventListener("abort", leave);
    Promise.resolve(work).then(resolve, reject).then(stay, stay);
  });
}
