/**
 * Whether the client could have bounded what it measured: its own share of a core, and how late its
 * event loop was.
 *
 * @module
 */

import process from "node:process";
import type { Clock, Validity } from "../contract.ts";
import { LatencyHistogram } from "../stats/histogram.ts";

/** Above this share of a core, the client is taken to be the bottleneck. */
const CLIENT_BOUND_SHARE = 0.9;
/** CPU time is counted in ticks of 10 ms, so that a shorter window says nothing. */
const MINIMUM_WINDOW_NS = 1e9;
/** How often the event loop is asked for the time. */
const LAG_INTERVAL_MS = 20;

/** CPU time of this thread alone, in microseconds; Deno's types do not have it yet. */
function threadCpuMicros(): number {
  const { threadCpuUsage } = process as unknown as {
    threadCpuUsage(): { user: number; system: number };
  };
  const { user, system } = threadCpuUsage.call(process);
  return user + system;
}

/** Watches the client's thread while measured work runs. Dispose of it. */
export class ValidityMonitor implements Disposable {
  readonly #clock: Clock;
  readonly #readCpuMicros: () => number;
  readonly #lag = new LatencyHistogram();
  #watchedNs = 0;
  #cpuMicros = 0;

  constructor(clock: Clock, cpuMicros: () => number = threadCpuMicros) {
    this.#clock = clock;
    this.#readCpuMicros = cpuMicros;
  }

  /** Runs the work, watched; of paced work, whose thread spins by design, the lag alone. */
  async watch<T>(work: () => Promise<T>, { paced = false } = {}): Promise<T> {
    const startNs = this.#clock.nowNs();
    const startMicros = this.#readCpuMicros();
    const stop = this.#sampleLag();
    try {
      return await work();
    } finally {
      stop();
      if (!paced) {
        this.#watchedNs += this.#clock.nowNs() - startNs;
        this.#cpuMicros += this.#readCpuMicros() - startMicros;
      }
    }
  }

  /** The verdict on what was watched, with the given warnings before its own. */
  validity(warnings: readonly string[]): Validity {
    const clientCpu = this.#watchedNs < MINIMUM_WINDOW_NS
      ? null
      : Math.min(1, this.#cpuMicros * 1e3 / this.#watchedNs);
    const bound = clientCpu !== null && clientCpu >= CLIENT_BOUND_SHARE;
    return {
      valid: !bound && warnings.length === 0,
      clientCpu,
      loopLagP99Ns: this.#lag.count === 0 ? null : this.#lag.percentile(99),
      warnings: bound
        ? [
          ...warnings,
          `client-bound: the client's thread used ${
            Math.round(clientCpu * 100)
          } % of a core, so that a faster server would look no faster`,
        ]
        : [...warnings],
    };
  }

  [Symbol.dispose](): void {
    this.#lag[Symbol.dispose]();
  }

  #sampleLag(): () => void {
    let cancel = () => {};
    const tick = () => {
      const dueNs = this.#clock.nowNs() + LAG_INTERVAL_MS * 1e6;
      cancel = this.#clock.after(LAG_INTERVAL_MS, () => {
        this.#lag.record(Math.max(0, this.#clock.nowNs() - dueNs));
        tick();
      });
    };
    tick();
    return () => cancel();
  }
}
