/**
 * Insights about opening, reopening and limiting connections.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import type { Insight } from "../insights.ts";
import { findDistribution, findScalar, findScenario } from "../lookup.ts";
import { formatCount, formatDuration, formatMilliseconds, formatNumber } from "../units.ts";

/** What a connection costs, how long a client is away after a close, and the limit found. */
export function connectionInsights(report: Report): Insight[] {
  return [
    ...establishSentence(report),
    ...recoverySentence(report),
    ...limitSentence(report),
  ].map((text) => ({ topic: "connections", tone: "neutral", text }));
}

function establishSentence(report: Report): string[] {
  const establish = findDistribution(
    findScenario(report, "connection-establishment"),
    "establish",
  );
  if (establish === undefined) return [];
  const latency = findDistribution(findScenario(report, "message-throughput"), "latency");
  const calls = latency === undefined || latency.p50 <= 0 ? 0 : establish.p50 / latency.p50;
  const worth = calls < 1.5
    ? ""
    : `, as much time as ${formatCount(Math.round(calls))} calls: keep connections open`;
  return [
    `Opening a session takes ${formatDuration(establish.p50)} (median)${worth}.`,
  ];
}

function recoverySentence(report: Report): string[] {
  const scenario = findScenario(report, "reconnection");
  const recovery = findDistribution(scenario, "recovery");
  if (recovery === undefined) return [];
  const pause = scenario?.parameters.pauseMs;
  const included = typeof pause === "number" && pause > 0
    ? `, the pause of ${formatMilliseconds(pause)} between them included`
    : "";
  return [
    `From the close to the next good reply takes ${
      formatDuration(recovery.p50)
    } (median)${included}.`,
  ];
}

function limitSentence(report: Report): string[] {
  const limit = findScalar(findScenario(report, "connection-limit"), "limit");
  return limit === undefined
    ? []
    : [`The server took ${formatNumber(limit.value)} connections before it refused one.`];
}
