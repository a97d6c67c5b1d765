/**
 * The parts of a run beside each other: by epoch, and by one clock.
 *
 * @module
 */

import type { ClockOffset, Fact, Measured, ScenarioReport } from "../schema.ts";

/** What one part's times are read from. */
export interface TimedPart {
  clock: ClockOffset | null;
  report: Pick<ScenarioReport, "measured">;
}

/** In every epoch, this share of the longest part's must be common to all. */
const COMMON_SHARE = 0.9;

/** Of the epochs that all parts have, in their order, what each part says of it. */
export function byEpoch<E>(parts: readonly { epochs: readonly E[] }[]): E[][] {
  const count = Math.min(...parts.map(({ epochs }) => epochs.length));
  return Array.from({ length: count }, (_, index) => parts.map(({ epochs }) => epochs[index]!));
}

/** The epochs of every part by the first one's clock, as far as the clocks are known to differ. */
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

/** What to add to one clock to get the other; 0 where they may well agree. */
function clockDifferenceMs(reference: ClockOffset | null, clock: ClockOffset | null): number {
  if (reference === null || clock === null) return 0;
  const differenceMs = clock.offsetMs - reference.offsetMs;
  return Math.abs(differenceMs) > clock.errorMs + reference.errorMs ? differenceMs : 0;
}

/** Says where the interval common to all parts is too short for their rates to add up. */
export function togetherWarnings(parts: readonly TimedPart[]): Fact[] {
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
      `not together: in epoch ${epoch} only ${percent} % of the time was common to all shards, ` +
      "so that their rates do not add up: give them one --start-at",
    epoch,
    share,
  }];
}
