import type { RateSearchResult, Trial } from "../load/rate_search.ts";
import type { Fact } from "../schema.ts";
import type { MetricSpec, Recording } from "./scenario.ts";

/** The share of trials that met the objective: at the level found, and at each level tried. */
export const SHARE: MetricSpec = { kind: "scalar", unit: "share", better: null };

/** What a search came to. */
type Found = Omit<RateSearchResult<Trial>, "trials">;

/**
 * Records the results of one or more searches: the level that each found, the share of trials that
 * met it, and what limits it. A search that found nothing only because the client was late does not
 * count as a miss, but at least one must be judged.
 *
 * @param texts.late the finding if the client could not offer a level on time
 * @param texts.highest the reason if the highest level was met
 * @param texts.why what was missed if no level was met
 * @returns `true` if a search was judged
 */
export function recordFound<R extends Found>(
  recording: Recording,
  results: readonly R[],
  { metric, late, highest, check, why }: {
    metric: string;
    late: (level: number) => Fact;
    highest: (level: number) => string;
    check: { kind: string; name: string };
    why: (result: R) => string | null;
  },
): boolean {
  const limitOf = "limit of the server";
  const best = Math.max(0, ...results.map(({ sustainedPerSecond }) => sustainedPerSecond ?? 0));
  const lates = results.flatMap(({ limit }) => limit.kind === "client" ? limit.latePerSecond : []);
  // Being late once at a lower level does not matter if the client could offer more.
  const tooFast = lates.filter((level) => level > best);
  const isJudged = ({ sustainedPerSecond, limit }: R) =>
    sustainedPerSecond !== null || limit.kind !== "client";
  const judged = results.filter(isJudged);
  let whyNot: string | null = null;
  if (tooFast.length > 0) {
    const fact = late(Math.min(...tooFast));
    whyNot = fact.message;
    recording.invalidate(fact);
    recording.notMeasured(limitOf, fact.message);
  }
  for (const result of judged) {
    const { sustainedPerSecond: found, metShare, limit } = result;
    if (found === null) {
      recording.tally({ ...check, seen: 0, why: why(result) });
      continue;
    }
    recording.tally(check);
    recording.scalar(metric, found);
    if (metShare !== null) recording.scalar("metShare", metShare, { ci95: null });
    if (limit.kind === "highest") recording.notMeasured(limitOf, highest(found));
  }
  const left = results.length - judged.length;
  if (left > 0 && judged.length > 0) {
    recording.notMeasured(`${left} of ${results.length} searches`, "the client was late");
  }
  if (results.length > 0) {
    const name = "the client was on time for a search";
    recording.tally({ kind: "searchJudged", name, why: judged.length > 0 ? null : whyNot });
  }
  return judged.length > 0;
}

/** Notes how many trials have no verdict, and so are in no figure. */
export function noteNotJudged({ note }: Recording, trials: readonly Trial[]): void {
  const notJudged = trials.filter(({ verdict }) => verdict === "noVerdict").length;
  if (notJudged === 0) return;
  const message = `${notJudged} of ${trials.length} trials could not be judged and are left out ` +
    "of all figures: the client was late";
  note({ kind: "notJudged", message, notJudged, trials: trials.length });
}
