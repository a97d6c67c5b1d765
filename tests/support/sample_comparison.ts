/**
 * Comparisons of sample reports: with earlier runs, and of two servers.
 *
 * @module
 */

import type { Comparison, ComparisonRow } from "../../lib/schema.ts";
import { WOBBLE } from "./sample_scenario.ts";

/** The regression of both comparisons. */
export const SLOWER = "message-throughput: latency p50 is up by 17.1 %";

const THROUGHPUT = { at: { clients: 5, inFlight: 1 }, why: "noise" };

/** A row such as `latency p50 0.7 ms`, where the value is the old one; `ratio` is new / old. */
function row(
  scenario: string,
  what: string,
  [ratio, low, high]: readonly [number, number, number],
  verdict: ComparisonRow["verdict"],
  rest: Partial<ComparisonRow> = {},
): ComparisonRow {
  const [metric = "", statistic = "", value, unit = ""] = what.split(" ");
  const old = Number(value) * (unit === "ms" ? 1e6 : 1);
  return {
    ...{ scenario, metric, statistic: statistic as "value", unit: unit === "ms" ? "ns" : unit },
    ...{ better: unit === "ms" ? "lower" : "higher", old, new: old * ratio, ratio },
    ...{ ci: [low, high], gating: true, verdict, why: null, need: null, smallest: null },
    ...rest,
  };
}

/** With five earlier runs: one row is slower, one faster that does not gate, one undecided. */
export function learnedComparison(): Comparison {
  const open = { ...THROUGHPUT, need: 14 };
  const one = "message-throughput";
  return {
    ...{ noise: "learned", noisePercent: null, bandPercent: 3, baselines: 5, differences: [] },
    ...{ onlyInOld: ["pipelining"], onlyInNew: [], regressions: [SLOWER] },
    rows: [
      row(one, "latency p50 0.7 ms", [1.171, 1.12, 1.23], "slower"),
      row(one, "throughput value 1000 msg/s", [1.151, 1.1, 1.2], "faster", { gating: false }),
      row(
        "concurrent-connections",
        "throughput value 1790 msg/s",
        [0.99, 0.94, 1.05],
        "undecided",
        open,
      ),
    ],
    newErrors: [{ scenario: one, kind: "timeout", old: 0, new: 3, p: 0.002 }],
  };
}

/** Of two servers in one run; the second is slower in two rows. */
export function pairedComparison(): Comparison {
  const paired = (ratio: number, rest: Partial<ComparisonRow> = {}): Partial<ComparisonRow> => (
    { p: 0.002, epochs: WOBBLE.map((percent) => ratio * (1 + percent * 0.03)), ...rest }
  );
  const own = { ratio: 1.26, ci: [1.23, 1.29] as [number, number] };
  const open = { ...THROUGHPUT, need: 26, smallest: 1.09, p: 0.31 };
  const one = "message-throughput";
  return {
    ...{ noise: "paired", noisePercent: null, bandPercent: 3, baselines: 1, differences: [] },
    ...{ onlyInOld: [], onlyInNew: [], regressions: [SLOWER], newErrors: [] },
    rows: [
      row(one, "latency p50 0.7 ms", [1.171, 1.15, 1.19], "slower", paired(1.171, { own })),
      row(one, "latency p5 0.6 ms", [1.1, 1.08, 1.12], "slower", paired(1.1)),
      row(
        "concurrent-connections",
        "throughput value 1790 msg/s",
        [0.99, 0.94, 1.05],
        "undecided",
        paired(0.99, open),
      ),
      row(
        "connection-establishment",
        "establish p50 6.5 ms",
        [1.004, 0.98, 1.02],
        "same",
        paired(1.004),
      ),
    ],
  };
}
