/** How long a signal counts as the same one: npm passes Ctrl-C on to a program that the terminal has told already. */
const SAME_SIGNAL_MS = 500;

/** Ctrl-C, listened for. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** Listens for Ctrl-C (and SIGTERM) until disposed: the first aborts the signal, the second ends the process.
 *  @param onFirst Called at the first. */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let firstAt = 0;
  const stop = (): void => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      onFirst();
      controller.abort(new DOMException(`cancelled by ${name}`, "AbortError"));
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      stop();
      process.kill(process.pid, name);
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { signal: controller.signal, [Symbol.dispose]: stop };
}
