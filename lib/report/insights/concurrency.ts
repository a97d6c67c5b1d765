/**
 * Insights about several clients at once.
 *
 * @module
 */

import type { Report, Scalar } from "../../schema.ts";
import type { Insight, Tone } from "../insights.ts";
import { withoutPraise } from "./praise.ts";
import { concurrentClients } from "../key_numbers.ts";
import { findDistribution, findScalar, findScenario, isSound } from "../lookup.ts";
import { formatCount, formatDuration, formatNumber, formatRate, formatRatio } from "../units.ts";

/** Jain's index from here on is called fair. */
const FAIR = 0.95;
/** Jain's index under this is called unfair. */
const UNFAIR = 0.8;
/** A speedup nearer to 1 than this is called none where there is no interval to decide it. */
const NO_CHANGE = 0.05;

/** Speedup, latency under concurrency and fairness, as far as they were measured. */
export function concurrencyInsights(report: Report): Insight[] {
  const scenario = findScenario(report, "concurrent-connections");
  const count = concurrentClients(report);
  const clients = count === null
    ? "Concurrent clients"
    : `${formatCount(count)} concurrent clients`;
  const speedup = findScalar(scenario, "speedup");
  const fairness = findScalar(scenario, "fairness");
  const all = [
    ...(speedup === undefined
      ? []
      : [speedupInsight(clients, { speedup, alone: findScalar(scenario, "throughputAlone") })]),
    ...latencyUnderLoad(report),
    ...(fairness === undefined ? [] : [fairnessInsight(fairness.value)]),
  ];
  return isSound(scenario) ? all : all.map(withoutPraise);
}

/** The sign of a change that the data supports: 0 where the interval includes 1. */
function direction({ value, ci95 }: Scalar): -1 | 0 | 1 {
  const [low, high] = ci95 ?? [value - NO_CHANGE, value + NO_CHANGE];
  return low > 1 ? 1 : high < 1 ? -1 : 0;
}

function speedupInsight(
  clients: string,
  { speedup, alone }: { speedup: Scalar; alone: Scalar | undefined },
): Insight {
  const ratio = formatRatio(speedup.value);
  const one = alone === undefined ? "one" : `one alone (${formatRate(alone.value)})`;
  const interval = speedup.ci95 === null
    ? ""
    : `; 95 % interval ${formatRatio(speedup.ci95[0])} to ${formatRatio(speedup.ci95[1])}`;
  const sentences: Record<string, [Tone, string]> = {
    "1": ["good", `${clients} achieve ${ratio} the throughput of ${one}${interval}.`],
    "0": [
      "neutral",
      `${clients} bring no clear gain over ${one}: ${ratio} its throughput${interval}.`,
    ],
    "-1": [
      "bad",
      `${clients} together achieve less than ${
        alone === undefined ? "one alone" : one
      }: ${ratio} its throughput${interval}.`,
    ],
  };
  const [tone, text] = sentences[direction(speedup)];
  return { topic: "concurrency", tone, text };
}

function latencyUnderLoad(report: Report): Insight[] {
  const single = findDistribution(findScenario(report, "message-throughput"), "latency");
  const concurrent = findDistribution(findScenario(report, "concurrent-connections"), "latency");
  if (single === undefined || concurrent === undefined) return [];
  const from = formatDuration(single.mean);
  const to = formatDuration(concurrent.mean);
  const text = from === to
    ? `Latency stays the same with concurrency (${from} average).`
    : concurrent.mean > single.mean
    ? `Latency increases with concurrency (${from} → ${to} average).`
    : `Latency decreases with concurrency (${from} → ${to} average).`;
  return [{ topic: "concurrency", tone: "neutral", text }];
}

function fairnessInsight(index: number): Insight {
  const value = `Jain's index ${formatNumber(index)}, 1 is equal shares`;
  if (index >= FAIR) {
    return { topic: "concurrency", tone: "good", text: `Clients are served fairly (${value}).` };
  }
  return index < UNFAIR
    ? {
      topic: "concurrency",
      tone: "bad",
      text: `Clients are served unfairly: some get far more than others (${value}).`,
    }
    : {
      topic: "concurrency",
      tone: "neutral",
      text: `Clients are not served quite evenly (${value}).`,
    };
}
