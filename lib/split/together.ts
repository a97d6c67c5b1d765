/**
 * Did the shards measure at the same time?
 *
 * @module
 */

import type { ClockOffset, Fact, Measured, ScenarioReport } from "../schema.ts";

/** What one shard's times are read from. */
export interface TimedPart {
  clock: ClockOffset | null;
  report: Pick<ScenarioReport, "measured">;
}

const NEVER: Measured = { plannedStartMs: null, epochs: [] };
/** In every epoch, this share of the longest shard's must be common to all. */
const COMMON_SHARE = 0.9;

/** The epochs of every shard by the first one's clock, as far as the clocks are known to differ. */
export function inOneTime(parts: readonly TimedPart[]): Measured[] {
  const reference = parts[0]?.clock ?? null;
  return parts.map(({ clock, report: { measured = NEVER } }) => {
    const aheadMs = clockDifferenceMs(reference, clock);
    return {
      plannedStartMs: measured.plannedStartMs,
      epochs: measured.epochs.map(({ startMs, endMs }) => ({
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

/** Says where the interval common to all shards is too short for their rates to add up. */
export function togetherWarnings(parts: readonly TimedPart[]): Fact[] {
  const all = inOneTime(parts).map(({ epochs }) => epochs);
  const count = Math.min(...all.map((epochs) => epochs.length));
  const shares = Array.from({ length: count }, (_, index) => {
    const epochs = all.map((one) => one[index]!);
    const longestMs = Math.max(...epochs.map(({ startMs, endMs }) => endMs - startMs));
    const startMs = Math.max(...epochs.map((epoch) => epoch.startMs));
    const endMs = Math.min(...epochs.map((epoch) => epoch.endMs));
    return longestMs === 0 ? 1 : Math.max(0, endMs - startMs) / longestMs;
  });
  const worst = Math.min(1, ...shares);
  if (worst >= COMMON_SHARE) return [];
  const epoch = shares.indexOf(worst) + 1;
  return [{
    kind: "notTogether",
    message:
      `not together: in epoch ${epoch} only ${
        Math.round(100 * worst)
      } % of the time was common to ` +
      "all shards, so that their rates do not add up: give them one --start-at",
    epoch,
    share: worst,
  }];
}
