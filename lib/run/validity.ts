/**
 * Whether the client could have bounded what it measured: its own share of a core, how late its event
 * loop was, and how near the numbers are to those of a server that does nothing.
 *
 * @module
 */

import process from "node:process";
import type { ClientFloor, Validity } from "../schema.ts";
import type { Clock } from "../client/clock.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { percentileOrNull } from "../stats/percentiles.ts";
import { median } from "../stats/rounds.ts";

/**
 * From this share on the client is taken to be the bottleneck: its thread's share of a core, or the
 * throughput's share of the client's floor. Both say how much faster a server could still look that
 * answers at once: by 1 / share, here by 11 %. What is less than that cannot be told from the few per
 * cent by which rounds differ.
 *
 * Neither covers for the other. One call at a time waits most of the time, so that the thread is half
 * idle when the floor is reached; and long replies keep the thread busy far above the floor, whose
 * replies are short.
 */
export const CLIENT_BOUND_SHARE = 0.9;
/** CPU time is counted in ticks of 10 ms, so that a shorter window says nothing. */
const MINIMUM_WINDOW_NS = 1e9;
/** How often the event loop is asked for the time. */
const LAG_INTERVAL_MS = 5;

/** CPU time of this thread alone, in microseconds; Deno's types do not have it yet. */
function threadCpuMicros(): number {
  const { threadCpuUsage } = process as unknown as {
    threadCpuUsage(): { user: number; system: number };
  };
  const { user, system } = threadCpuUsage.call(process);
  return user + system;
}

/** What a throughput is held against. */
export interface FloorComparison {
  /** `null`: not measured. */
  floor: ClientFloor | null;
  /** Successes a second, round by round; of none there is no share. */
  throughput: readonly number[];
}

/** Watches the client's thread while measured work runs. Dispose of it. */
export class ValidityMonitor implements Disposable {
  readonly #clock: Clock;
  readonly #cpuMicros: () => number;
  readonly #lag = new LatencyHistogram();
  #watchedNs = 0;
  #usedMicros = 0;

  /** `cpuMicros` tells the CPU time that the client has used so far, in microseconds. */
  constructor(clock: Clock, options: { cpuMicros?: () => number } = {}) {
    this.#clock = clock;
    this.#cpuMicros = options.cpuMicros ?? threadCpuMicros;
  }

  /** Runs the work, watched; of paced work, whose thread spins by design, the lag alone. */
  async watch<T>(work: () => Promise<T>, { paced = false } = {}): Promise<T> {
    const startNs = this.#clock.nowNs();
    const startMicros = this.#cpuMicros();
    const stop = this.#sampleLag();
    try {
      return await work();
    } finally {
      stop();
      if (!paced) {
        this.#watchedNs += this.#clock.nowNs() - startNs;
        this.#usedMicros += this.#cpuMicros() - startMicros;
      }
    }
  }

  /** The verdict on what was watched, with the given warnings before its own. */
  validity(
    given: readonly string[],
    { floor, throughput }: FloorComparison = { floor: null, throughput: [] },
  ): Validity {
    const clientCpu = this.#watchedNs < MINIMUM_WINDOW_NS
      ? null
      : Math.min(1, this.#usedMicros * 1e3 / this.#watchedNs);
    const share = floor === null || throughput.length === 0
      ? null
      : median(throughput) / floor.throughput;
    const warnings = [...given, ...cpuWarning(clientCpu), ...floorWarning(share)];
    return {
      valid: warnings.length === 0,
      clientCpu,
      loopLagP99Ns: percentileOrNull(this.#lag, 99),
      ...(floor === null ? {} : { floor: { ...floor, share } }),
      warnings,
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

function cpuWarning(clientCpu: number | null): string[] {
  return clientCpu === null || clientCpu < CLIENT_BOUND_SHARE ? [] : [
    `client-bound: the client's thread used ${percent(clientCpu)} of a core, so that a faster ` +
    "server would look no faster",
  ];
}

function floorWarning(share: number | null): string[] {
  return share === null || share < CLIENT_BOUND_SHARE ? [] : [
    `client-bound: the throughput is ${
      percent(share)
    } of what this client reaches against a server ` +
    "that does nothing, so that a faster server would look no faster",
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
