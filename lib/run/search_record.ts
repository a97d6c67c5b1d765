import type { RateSearchResult, Trial } from "../load/rate_search.ts";
import type { Fact } from "../schema.ts";
import type { Recording } from "./scenario.ts";

/**
 * Records what a search found, how often it was met, and what kept the search from finding more.
 *
 * @param texts.late what to say where the client could not offer so much on time
 * @param texts.highest what to say where the highest level was met
 * @param texts.why what was missed, where no level was met
 * @returns `false` where only the client was late, so that nothing was missed
 */
export function recordFound(
  recording: Recording,
  { sustainedPerSecond: found, metShare, limit }: Omit<RateSearchResult<Trial>, "trials">,
  { metric, late, highest, check, why }: {
    metric: string;
    late: (level: number) => Fact;
    highest: (level: number) => string;
    check: { kind: string; name: string };
    why: () => string | null;
  },
): boolean {
  const limitOf = "limit of the server";
  if (found !== null) {
    recording.scalar(metric, found);
    if (metShare !== null) recording.scalar("metShare", metShare);
  }
  // A lower level at which the client was late, once, is no limit of a client that offered more.
  if (limit.kind === "client" && limit.latePerSecond > (found ?? 0)) {
    const fact = late(limit.latePerSecond);
    recording.invalidate(fact);
    recording.notMeasured(limitOf, fact.message);
    if (found === null) return false;
  }
  if (limit.kind === "highest" && found !== null) recording.notMeasured(limitOf, highest(found));
  const missed = found === null ? why() : null;
  recording.tally({ ...check, seen: found === null ? 0 : 1, wanted: 1, why: missed });
  return true;
}
