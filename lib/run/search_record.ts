import type { RateSearchResult, Trial } from "../load/rate_search.ts";
import type { Fact } from "../schema.ts";
import type { Recording } from "./scenario.ts";

/**
 * Records the result of a search: the level, the share of trials that met it, and what limits it.
 *
 * @param texts.late the finding if the client could not offer a level on time
 * @param texts.highest the reason if the highest level was met
 * @param texts.why what was missed if no level was met
 * @returns `false` if nothing was found only because the client was late
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
  // Being late once at a lower level does not matter if the client could offer more.
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

/** Notes how many trials have no verdict, and so are in no figure. */
export function noteNotJudged({ note }: Recording, trials: readonly Trial[]): void {
  const notJudged = trials.filter(({ verdict }) => verdict === "noVerdict").length;
  if (notJudged === 0) return;
  const message = `${notJudged} of ${trials.length} trials could not be judged and are left out ` +
    "of all figures: the client was late";
  note({ kind: "notJudged", message, notJudged, trials: trials.length });
}
