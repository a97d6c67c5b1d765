/**
 * How long a run is planned to take, before anything has been looked at.
 *
 * @module
 */

import type { PlannedScenario } from "./plan.ts";
import type { Taken } from "./scenario.ts";

/** Before the first epoch: the server, the preflight, a look at its limits. */
const START_MS = 1_000;
/** The lead-in of a slice. */
const LEAD_IN_MS = 40;
/** About as long as a slice is. */
export const SLICE_MS = 100;
export const MOST_BLOCKS = 10;
/**
 * The warm-up takes that long for the target's closed loops together, but at most three quarters of what is measured
 * afterwards: for about 3 s the runtimes of both ends go on compiling, and calls get faster by up to a third.
 */
export const WARMUP_MS = 3_000;
export const MOST_WARMUP = 0.75;
/** About what a call or a handshake takes on a loopback. */
const QUICK_CALL_MS = 0.1;
export const CONNECT_MS = 2;
/** About what a call of the bundled server's heavy tools takes. */
export const HEAVY_CALL_MS = 1_400;

/** About how long scenarios take together, in milliseconds: with a warm-up, and `epochs` after it. */
export function plannedMs(
  planned: readonly PlannedScenario[],
  { epochs, warmsUp }: { epochs: number; warmsUp: boolean },
): number {
  const all = planned.map(({ scenario, parameters }) => ({
    scenario,
    parameters,
    taken: (scenario.takes?.(parameters) ?? {}) as Taken,
  }));
  const lengthOf = ({ parameters: { durationMs, messages } }: PlannedScenario) =>
    typeof durationMs === "number" ? durationMs : Number(messages ?? 0) * QUICK_CALL_MS;
  // Cases are measured in the same blocks, each of which has a lead-in for every slice.
  const longest = Math.max(...all.map((one) => one.taken.slices === undefined ? 0 : lengthOf(one)));
  const blocks = Math.min(MOST_BLOCKS, Math.max(1, Math.round(longest / SLICE_MS)));
  const times = all.map(
    ({ scenario, parameters, taken: { slices = 0, epochMs = 0, onceMs = 0 } }) => {
      const isWarm = warmsUp && (scenario.kind === "cases" || scenario.warmsUp !== false);
      const slicesMs = slices * (lengthOf({ scenario, parameters }) + blocks * LEAD_IN_MS);
      return (slicesMs + epochMs) * (epochs + (isWarm ? 1 : 0)) + onceMs;
    },
  );
  const loopsMs = all.reduce(
    (sum, { scenario, parameters, taken: { slices = 0 } }) =>
      parameters.durationMs === null ? sum : sum + slices * lengthOf({ scenario, parameters }),
    0,
  );
  const warmupMs = warmsUp ? Math.min(WARMUP_MS, MOST_WARMUP * epochs * loopsMs) : 0;
  const measuredMs = START_MS + warmupMs + times.reduce((sum, ms) => sum + ms, 0);
  // What waits for the server does so beside the others.
  return Math.max(measuredMs, ...all.map(({ taken }) => START_MS + (taken.besideMs ?? 0)));
}
