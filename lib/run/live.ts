/**
 * Live figures of a running scenario, read from its ledgers and recorders.
 *
 * @module
 */

import type { Ledger } from "../schema.ts";
import type { DistributionRecorder } from "../stats/summary.ts";

/** A snapshot of a running scenario. */
export interface LiveFigures {
  /** Time since the scenario began. */
  elapsedNs: number;
  /** Calls served so far, warm-up included. */
  ok: number;
  /** Calls that ended in any other way, or were never sent. */
  errors: number;
  /** `null` until a time is recorded. */
  times: LiveTimes | null;
}

/** Percentiles of a metric in the current epoch, or in the previous one until it has samples. */
export interface LiveTimes {
  name: string;
  p50Ns: number;
  /** `null` if there are too few samples. */
  p99Ns: number | null;
}

/** A scenario that can be watched. */
export interface LiveScenario {
  /**
   * True while its thread keeps a schedule: a call of `live` takes 0.05 to 0.2 ms, mostly for the
   * two percentiles, and can make calls late.
   */
  readonly isPaced: boolean;
  live(): LiveFigures;
}

/** Counts calls that were served, and those that were not. */
export function countCalls(ledgers: readonly Ledger[]): Pick<LiveFigures, "ok" | "errors"> {
  let ok = 0;
  let errors = 0;
  for (const ledger of ledgers) {
    ok += ledger.ok;
    errors += ledger.toolError + ledger.rateLimited + ledger.timeout + ledger.connectionLost +
      ledger.aborted + ledger.dropped;
  }
  return { ok, errors };
}

/** The times to show: the latest latency recorded, or else the first metric of the scenario. */
export function liveTimes(
  recorders: readonly (readonly [name: string, recorder: DistributionRecorder])[],
): LiveTimes | null {
  const recorded = recorders.filter(([, recorder]) => recorder.count > 0);
  const shown = recorded.findLast(([name]) => name === "latency") ?? recorded[0];
  if (shown === undefined) return null;
  const [name, recorder] = shown;
  const { p50, p99 } = recorder.latest();
  return p50 === null ? null : { name, p50Ns: p50, p99Ns: p99 };
}
