/**
 * What a running scenario has come to so far, for someone who watches. It is read from the ledgers and
 * recorders that the run writes anyway: nothing is added to the work that is measured.
 *
 * @module
 */

import type { Ledger } from "../schema.ts";
import type { DistributionRecorder } from "../stats/summary.ts";

/** The figures of one moment. */
export interface LiveFigures {
  /** Since the scenario began, in nanoseconds. */
  elapsedNs: number;
  /** Calls served so far, those of the warm-up included. */
  ok: number;
  /** Calls that ended in any other way, or were never sent. */
  errors: number;
  /** `null` until something is recorded. */
  times: LiveTimes | null;
}

/** The times of one metric in the present epoch, or in the one before while it has none. */
export interface LiveTimes {
  name: string;
  p50Ns: number;
  /** `null` where it would rest on too few samples. */
  p99Ns: number | null;
}

/** A scenario that can be watched. */
export interface LiveScenario {
  /**
   * Does its thread keep a schedule now, so that every look at it may make a call late? A look takes
   * 0.05 to 0.2 ms, nearly all of it for the two percentiles.
   */
  readonly isPaced: boolean;
  live(): LiveFigures;
}

/** Adds up how calls ended. */
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

/**
 * The times to show of all that a scenario records: its calls' latency, of a sweep that of the latest
 * step; where it has none, the metric that it began with.
 */
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
