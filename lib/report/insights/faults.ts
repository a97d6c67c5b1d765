/**
 * Insights about limits, bad messages and lost connections.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import { conductCount } from "../fault_rows.ts";
import type { Insight } from "../insights.ts";
import { findScalar, findScenario } from "../lookup.ts";
import { formatCount, formatDuration, formatNumber } from "../units.ts";

/** The budgets found, how a storm passed, and whether bad messages are answered as they should be. */
export function faultInsights(report: Report): Insight[] {
  const about = (name: string, tell: (scenario: ScenarioReport) => Insight[]) => {
    const scenario = findScenario(report, name);
    return scenario === undefined ? [] : tell(scenario);
  };
  return [
    ...about("rate-limit", limitInsights),
    ...about("malformed-input", conductInsights),
    ...about("reconnect-storm", stormInsights),
  ];
}

function limitInsights(scenario: ScenarioReport): Insight[] {
  return [["session", "A session"], ["ip", "An IP address"]].flatMap(([owner, who]): Insight[] => {
    const burst = findScalar(scenario, `${owner}Burst`);
    if (burst === undefined) return [];
    const refill = findScalar(scenario, `${owner}Refill`);
    const then = refill === undefined ? "" : `, then ${formatNumber(round(refill.value))} a second`;
    const text = `${who} may make ${formatNumber(burst.value)} calls at once${then}.`;
    return [{ topic: "faults", tone: "neutral", text }];
  });
}

/** To two significant digits: no limiter is known better from a few seconds. */
function round(value: number): number {
  return Number(value.toPrecision(2));
}

function conductInsights(scenario: ScenarioReport): Insight[] {
  const count = conductCount(scenario);
  if (count === null) return [];
  const tried = formatCount(count.tried);
  const isKept = count.kept === count.tried && scenario.status === "passed";
  const text = isKept
    ? `Bad messages are answered as the protocol says, in all of ${tried} rows that were tried.`
    : `Of ${tried} rows of the protocol that were tried, ${formatCount(count.kept)} are kept.`;
  return [{ topic: "faults", tone: isKept ? "good" : "bad", text }];
}

function stormInsights(scenario: ScenarioReport): Insight[] {
  const clients = scenario.parameters.connections;
  const who = typeof clients === "number" ? `all ${formatCount(clients)} clients` : "all clients";
  const what = [["Drop", `When ${who} drop at once`], ["Restart", "When the server is restarted"]];
  return what.flatMap(([event, when]): Insight[] => {
    const [immediate, backoff] = ["Immediate", "Backoff"].map((way) =>
      findScalar(scenario, `served99${event}${way}`)?.value
    );
    if (immediate === undefined || backoff === undefined) return [];
    const text = `${when}, 99 % are served again after ${formatDuration(immediate)} if they come ` +
      `back at once, and ${formatDuration(backoff)} with jittered back-off.`;
    return [{ topic: "faults", tone: "neutral", text }];
  });
}
