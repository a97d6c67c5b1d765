import type { Clock } from "../client/clock.ts";
import { type BatchedSample, sampleBatched } from "../stats/sampling.ts";
import { type Case, ONE_CLIENT, type Rig } from "./scenario.ts";

/** The name of the layer. */
export const UNIT_LAYER = "dispatch";
/** What a unit test's call costs: the bundled server's dispatch of the tool, without a socket. */
export const UNIT_CASE: Case = { ...ONE_CLIENT, layer: UNIT_LAYER };

/** Batches of a slice; of more than these mitata drops the extremes. */
const BATCHES = 12;
const CALLS_PER_BATCH = 64;
/** Long calls, such as of a megabyte, are measured in batches that take no longer. */
const FEWEST_CALLS = 4;
const BATCH_LIMIT_NS = 1e6;
/** Batches before those that count, for the compiler. */
const LEAD_IN_CALLS = 256;

/** Measures in-process work in batches: its times are means of batches, in nanoseconds a call. */
export function batchedRig(work: () => unknown, { clock }: { clock: Clock }): Rig {
  let callsPerBatch: number | null = null;
  return {
    async measure() {
      const startNs = clock.nowNs();
      if (callsPerBatch === null) {
        callsPerBatch = fittingCalls(work, clock);
        for (let call = 0; call < LEAD_IN_CALLS && clock.nowNs() - startNs < 2e7; call++) work();
      }
      const sample: BatchedSample = await sampleBatched(work, { batches: BATCHES, callsPerBatch });
      const timesNs = Float64Array.from(sample.samples);
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

/** How many calls a batch can have, from the time that the second one takes. */
function fittingCalls(work: () => unknown, clock: Clock): number {
  work();
  const startNs = clock.nowNs();
  work();
  const fitting = Math.floor(BATCH_LIMIT_NS / Math.max(1, clock.nowNs() - startNs));
  return Math.min(CALLS_PER_BATCH, Math.max(FEWEST_CALLS, fitting & ~3));
}
