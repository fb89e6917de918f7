import { monitorEventLoopDelay } from "node:perf_hooks";
import { quantile } from "../report.ts";

/** How finely the event loop is looked at, in milliseconds; what is above it is delay. */
const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;
const US_PER_MS = 1000;

/** What somebody saw of this thread's event loop, in milliseconds. */
export interface SeenLoop {
  /** How much later than asked for a timer came: what this thread did, and what it waited for a processor. */
  delay: { p50: number; p99: number; max: number };
  /** Processor time that this thread took between two turns of its timers: only what it did itself, also where the machine is busy. */
  turn: { p99: number; max: number };
}

/** Watches this thread's event loop until the returned function is called. */
export function watchLoop(): () => SeenLoop {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const turns: number[] = [];
  let before = cpuMs();
  const timer = setInterval(() => {
    const now = cpuMs();
    turns.push(now - before);
    before = now;
  }, RESOLUTION_MS);
  delay.enable();
  return () => {
    clearInterval(timer);
    delay.disable();
    const above = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
    return {
      delay: { p50: above(delay.percentile(50)), p99: above(delay.percentile(99)), max: above(delay.max) },
      turn: { p99: quantile(turns, 0.99), max: turns.reduce((most, one) => Math.max(most, one), 0) },
    };
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / US_PER_MS;
}
