/**
 * Insights about one client that calls one at a time.
 *
 * @module
 */

import type { Distribution, Report } from "../../schema.ts";
import type { Insight } from "../insights.ts";
import { baselineSource, singleThroughput, slowdown, slowerOrFaster } from "../key_numbers.ts";
import { findDistribution, findScenario, isSound } from "../lookup.ts";
import { formatCount, formatDuration, formatRatio } from "../units.ts";
import { withoutPraise } from "./praise.ts";

/** A P95 within this multiple of the median is called steady. */
const STEADY = 2;
/** A P95 from this multiple of the median on is called a long tail. */
const LONG_TAIL = 5;

/** The real system against a call without a socket. */
export function slowdownInsights(report: Report): Insight[] {
  const ratio = slowdown(report, singleThroughput(report));
  if (ratio === null || report.unitBaseline === null) return [];
  const measure = `The real system is ${slowerOrFaster(ratio)} than unit tests (the baseline is ` +
    `${baselineSource(report.unitBaseline)})`;
  return ratio >= 1
    ? [{
      topic: "slowdown",
      tone: "neutral",
      text: `${measure}: what a unit test promises is not what a client gets.`,
    }]
    : [{
      topic: "slowdown",
      tone: "bad",
      text: `${measure}: a baseline slower than the full stack does not describe the same call.`,
    }];
}

/** Average and tail of the latency. */
export function latencyInsights(report: Report): Insight[] {
  const scenario = findScenario(report, "message-throughput");
  const latency = findDistribution(scenario, "latency");
  if (latency === undefined) return [];
  const insight = latencyInsight(latency);
  return [isSound(scenario) ? insight : withoutPraise(insight)];
}

function latencyInsight(latency: Distribution): Insight {
  const average = `Latency is ${formatDuration(latency.mean)} on average`;
  if (latency.p95 === null || latency.p50 <= 0) {
    const text = `${average}; ${
      formatCount(latency.count)
    } replies are too few for a P95 (200 are needed).`;
    return { topic: "latency", tone: "neutral", text };
  }
  const spread = latency.p95 / latency.p50;
  const p95 = `P95 is ${formatDuration(latency.p95)}, ${formatRatio(spread)} the median`;
  if (spread <= STEADY) {
    return { topic: "latency", tone: "good", text: `${average} and steady: ${p95}.` };
  }
  return spread < LONG_TAIL
    ? { topic: "latency", tone: "neutral", text: `${average}; ${p95}.` }
    : { topic: "latency", tone: "bad", text: `${average}, with a long tail: ${p95}.` };
}
