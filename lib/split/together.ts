/**
 * Aligns the parts of a run by epoch and by clock.
 *
 * @module
 */

import type { ClockOffset, Fact, Measured, ScenarioReport } from "../schema.ts";

export interface TimedPart {
  clock: ClockOffset | null;
  report: Pick<ScenarioReport, "measured">;
}

/** Share of each epoch that must be common to all parts, relative to the longest. */
const COMMON_SHARE = 0.9;

/** Advice; workers always start together. */
const SAME_START = ": give all of them the same --start-at";

/** Groups values by epoch, for the epochs that all parts have. */
export function byEpoch<E>(parts: readonly { epochs: readonly E[] }[]): E[][] {
  const count = Math.min(...parts.map(({ epochs }) => epochs.length));
  return Array.from({ length: count }, (_, index) => parts.map(({ epochs }) => epochs[index]!));
}

/** Converts the epochs of all parts to the first one's clock. */
export function inOneTime(parts: readonly TimedPart[]): Measured[] {
  return parts.map(({ clock, report: { measured } }) => {
    const aheadMs = clockDifferenceMs(parts[0]!.clock, clock);
    return {
      plannedStartMs: measured?.plannedStartMs ?? null,
      epochs: (measured?.epochs ?? []).map(({ startMs, endMs }) => ({
        startMs: startMs + aheadMs,
        endMs: endMs + aheadMs,
      })),
    };
  });
}

/** What to add to `clock` to get the reference; 0 if the difference is within the errors. */
function clockDifferenceMs(reference: ClockOffset | null, clock: ClockOffset | null): number {
  if (reference === null || clock === null) return 0;
  const differenceMs = clock.offsetMs - reference.offsetMs;
  return Math.abs(differenceMs) > clock.errorMs + reference.errorMs ? differenceMs : 0;
}

/** Warns if the parts overlapped too little for their rates to add up. */
export function togetherWarnings(parts: readonly TimedPart[], of: "shards" | "workers"): Fact[] {
  const shares = byEpoch(inOneTime(parts)).map((epochs) => {
    const longestMs = Math.max(...epochs.map(({ startMs, endMs }) => endMs - startMs));
    const startMs = Math.max(...epochs.map((epoch) => epoch.startMs));
    const endMs = Math.min(...epochs.map((epoch) => epoch.endMs));
    return longestMs === 0 ? 1 : Math.max(0, endMs - startMs) / longestMs;
  });
  const share = Math.min(1, ...shares);
  if (share >= COMMON_SHARE) return [];
  const epoch = shares.indexOf(share) + 1;
  const percent = Math.round(100 * share);
  return [{
    kind: "notTogether",
    message:
      `not together: in epoch ${epoch} only ${percent} % of the time was common to all ${of}, ` +
      `so their rates do not add up${of === "shards" ? SAME_START : ""}`,
    epoch,
    share,
  }];
}
