/**
 * Insights about whether the numbers mean what they seem to.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import { rateLimitFinding } from "../findings.ts";
import type { Insight } from "../insights.ts";
import { describeLosses, totalCalls } from "../ledger.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { formatCount, formatPercent } from "../units.ts";

/** The share of replies from a cache up to which the numbers are still those of the tool. */
const CACHED_SHARE = 0.01;

/** Losses, errors, a limiter, a cache, the client as the bottleneck; or that there was nothing of it. */
export function trustInsights(report: Report): Insight[] {
  if (report.scenarios.length === 0) return [nothingMeasured(report)];
  const bad = [
    ...(report.rateLimit === null ? [] : [rateLimitFinding(report.rateLimit).text]),
    ...report.scenarios.flatMap((scenario) => [
      ...lossSentence(scenario),
      ...cacheSentence(scenario),
      ...validitySentence(scenario),
    ]),
  ];
  if (bad.length > 0) return bad.map((text) => ({ topic: "trust", tone: "bad", text }));
  const { sent, ok, stray, malformed } = totalCalls(report);
  return sent === 0 || ok !== sent || stray + malformed > 0 ? [] : [{
    topic: "trust",
    tone: "good",
    text: `All ${formatCount(sent)} calls were served, each matched to its own reply.`,
  }];
}

function nothingMeasured(report: Report): Insight {
  const causes = report.verdict.reasons.map(({ message }) => message).join("; ");
  const why = causes === "" ? "" : `: ${causes}`;
  return { topic: "trust", tone: "bad", text: `Nothing was measured${why}` };
}

function lossSentence(scenario: ScenarioReport): string[] {
  // What fails calls on purpose, and passed, has found what it looked for.
  if (scenario.overloads && scenario.status === "passed") return [];
  const loss = describeLosses(scenario.ledger);
  return loss === null ? [] : [
    `${
      scenarioTitle(scenario.name)
    }: ${loss}. Only served calls are in its latency and throughput.`,
  ];
}

function cacheSentence({ name, ledger }: ScenarioReport): string[] {
  const share = ledger.ok === 0 ? 0 : ledger.cached / ledger.ok;
  if (share <= CACHED_SHARE) return [];
  return [
    `${scenarioTitle(name)}: ${formatCount(ledger.cached)} of ${formatCount(ledger.ok)} replies ` +
    `(${formatPercent(share)}) came from the server's cache, so the numbers are partly those of ` +
    "the cache. Put {seq} into --tool-args to make every call different.",
  ];
}

function validitySentence({ name, validity }: ScenarioReport): string[] {
  if (validity.valid) return [];
  if (validity.warnings.length > 0) return [distrust(name, validity.warnings.join("; "))];
  const cpu = validity.clientCpu === null
    ? ""
    : ` (it used ${formatPercent(validity.clientCpu)} of a core)`;
  return [distrust(name, `the client itself may have been the bottleneck${cpu}.`)];
}

function distrust(name: string, why: string): string {
  return `${scenarioTitle(name)}: do not trust these numbers: ${why}`;
}
