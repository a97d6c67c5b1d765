/**
 * Estimates how long a run will take, before connecting to the server.
 *
 * @module
 */

import type { PlannedScenario } from "./plan.ts";

/** Before the first epoch: start of the server, preflight, probe of its limits. */
const START_MS = 1_000;
/** For 30 ms after a pause or a garbage collection, calls are up to 1.5 times slower. */
export const LEAD_IN_MS = 40;
/** Approximate length of a slice. */
export const SLICE_MS = 100;
export const MOST_BLOCKS = 10;
/**
 * Warm-up of all closed loops on the target together. For about 3 s the runtimes on both ends keep
 * compiling, which makes calls faster by up to a third.
 */
export const WARMUP_MS = 3_000;
/** Maximum warm-up, as a share of the time measured after it. */
export const MOST_WARMUP = 0.75;
/** Typical call on loopback. */
const QUICK_CALL_MS = 0.1;
/** Typical handshake on loopback. */
export const CONNECT_MS = 2;
/** Typical call of the bundled server's heavy tools. */
export const HEAVY_CALL_MS = 1_400;

/** Estimates the duration of scenarios in milliseconds, with `epochs` after the warm-up. */
export function plannedMs(
  planned: readonly PlannedScenario[],
  { epochs, warmsUp }: { epochs: number; warmsUp: boolean },
): number {
  const all = planned.map(({ scenario, parameters }) => {
    const { durationMs, messages } = parameters;
    const isTimed = typeof durationMs === "number";
    return {
      isTimed,
      isWarm: warmsUp && (scenario.kind === "cases" || scenario.warmsUp !== false),
      lengthMs: isTimed ? durationMs : Number(messages ?? 0) * QUICK_CALL_MS,
      ...{ slices: undefined, epochMs: 0, onceMs: 0, besideMs: 0 },
      ...scenario.takes?.(parameters),
    };
  });
  // All cases are measured in the same blocks, and every slice has a lead-in.
  const longest = Math.max(...all.map((one) => one.slices === undefined ? 0 : one.lengthMs));
  const blocks = Math.min(MOST_BLOCKS, Math.max(1, Math.round(longest / SLICE_MS)));
  let measuredMs = 0;
  let loopsMs = 0;
  for (const { isTimed, isWarm, lengthMs, slices = 0, epochMs, onceMs } of all) {
    const slicesMs = slices * (lengthMs + blocks * LEAD_IN_MS);
    measuredMs += (slicesMs + epochMs) * (epochs + (isWarm ? 1 : 0)) + onceMs;
    if (isTimed) loopsMs += slices * lengthMs;
  }
  const warmupMs = warmsUp ? Math.min(WARMUP_MS, MOST_WARMUP * epochs * loopsMs) : 0;
  // Waits for the server run in parallel with the rest.
  return START_MS + Math.max(warmupMs + measuredMs, ...all.map(({ besideMs }) => besideMs));
}
