import type { Clock } from "../client/clock.ts";
import { sampleBatched } from "../stats/sampling.ts";
import { type Case, ONE_CLIENT, type Rig } from "./scenario.ts";

/** The layer of {@linkcode UNIT_CASE}. */
export const UNIT_LAYER = "dispatch";
/** A call as a unit test makes it: the bundled server dispatches the tool, without a socket. */
export const UNIT_CASE: Case = { ...ONE_CLIENT, layer: UNIT_LAYER };

/** Batches of a slice. With more than 12, mitata drops the extremes. */
const BATCHES = 12;
const CALLS_PER_BATCH = 64;
/** Batches of long calls, for example of a megabyte, are shortened down to this. */
const FEWEST_CALLS = 4;
const BATCH_LIMIT_NS = 1e6;
/** Calls before the first batch, for the JIT compiler. */
const LEAD_IN_CALLS = 256;

/** Measures in-process work in batches. Times are means of batches, in nanoseconds per call. */
export function batchedRig(work: () => unknown, { clock }: { clock: Clock }): Rig {
  let callsPerBatch: number | null = null;
  return {
    async measure() {
      const startNs = clock.nowNs();
      if (callsPerBatch === null) {
        callsPerBatch = fittingCalls(work, clock);
        for (let call = 0; call < LEAD_IN_CALLS && clock.nowNs() - startNs < 2e7; call++) work();
      }
      const { samples } = await sampleBatched(work, { batches: BATCHES, callsPerBatch });
      const timesNs = Float64Array.from(samples);
      const windowNs = timesNs.reduce((sum, ns) => sum + ns, 0);
      return {
        complete: true,
        clients: [{ ok: timesNs.length, windowNs }],
        timesNs,
        censored: 0,
        answered: 0,
        outOfOrder: 0,
        clientCpuNs: 0,
        elapsedNs: clock.nowNs() - startNs,
      };
    },
  };
}

/** Calls per batch, from the duration of the second call. */
function fittingCalls(work: () => unknown, clock: Clock): number {
  work();
  const startNs = clock.nowNs();
  work();
  const fitting = Math.floor(BATCH_LIMIT_NS / Math.max(1, clock.nowNs() - startNs));
  return Math.min(CALLS_PER_BATCH, Math.max(FEWEST_CALLS, fitting & ~3));
}
