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
const SLICE_MS = 100;
const MOST_BLOCKS = 10;
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
  const measuredMs = START_MS + times.reduce((sum, ms) => sum + ms, 0);
  // What waits for the server does so beside the others.
  return Math.max(measuredMs, ...all.map(({ taken }) => START_MS + (taken.besideMs ?? 0)));
}
