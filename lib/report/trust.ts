/**
 * The trust sentence of a report: which numbers not to quote, how well the others repeat, and how
 * busy the client and the machine were. Nothing else decides this.
 *
 * @module
 */

import type { RateLimit, Report, ScenarioReport } from "../schema.ts";
import { type Content, foreign, type Inline, joined, link, prose } from "./document.ts";
import { slug } from "./escape.ts";
import { halfWidth, headlines, isCapped, ranScenarios } from "./quantities.ts";
import { cardNumbers } from "./sections/key_numbers.ts";
import { formatCounted, formatNumber, formatPercent } from "./units.ts";

/** good: quote the numbers; caution: quote them with the sentence; bad: do not quote some or all. */
type TrustLevel = "good" | "caution" | "bad";

/** A wider relative half-interval needs a caution. */
const WIDE = 0.1;
/** The share of the run's time spent waiting for a core that needs a caution. */
const PRESSED = 0.1;
const EPOCHS_FOR_INTERVALS = 5;
/** Scenarios that repeat worse than most and are named; the others are counted. */
const NAMED = 3;

/** The id of a scenario's section, unique in the report. */
export function scenarioId(report: Report, scenario: ScenarioReport): string {
  return `scenario-${report.scenarios.indexOf(scenario) + 1}-${slug(scenario.name)}`;
}

/** A scenario's title, linked to its section. */
export function scenarioLink(report: Report, scenario: ScenarioReport): Inline {
  return link(scenarioId(report, scenario), foreign(scenario.title));
}

/** Rates the numbers of a run. */
export function trustOf(report: Report): { level: TrustLevel; sentence: Content } {
  const { rateLimit, environment: { cpuPressure } } = report;
  const ran = ranScenarios(report);
  if (ran.every(({ metrics }) => metrics.length === 0)) {
    return { level: "bad", sentence: "There are no numbers: nothing was measured." };
  }
  const links = (scenarios: readonly ScenarioReport[]) =>
    joined(scenarios.map((one) => scenarioLink(report, one)), ", ");
  const shares = ran.flatMap(({ validity }) => validity.clientCpu ?? []);
  const undecided = ran.filter(({ validity }) => validity.client === "undecided");
  const unsound = ran.filter((scenario) => unsoundness(scenario) !== null);
  const parts = [repeatability(report)];
  if (shares.length > 0) {
    const used = `The client used ${formatPercent(Math.max(...shares))} of a core`;
    parts.push({ level: "good", text: used });
  }
  const caution = (text: Content) => parts.push({ level: "caution", text });
  if (undecided.length > 0) {
    caution(prose`The client may have been the bottleneck in ${links(undecided)}`);
  }
  if (cpuPressure !== null && cpuPressure >= PRESSED) {
    caution(`Processes waited for a CPU core ${formatPercent(cpuPressure)} of the time`);
  }
  if (ran.some(isCapped)) caution(capWords(rateLimit));
  const sentence = prose`${joined(parts.map(({ text }) => text), ". ")}.`;
  const level = parts.some(({ level }) => level === "caution") ? "caution" : "good";
  if (unsound.length === 0) return { level, sentence };
  const isAll = unsound.length === ran.length;
  const groups = [...Map.groupBy(unsound, (one) => unsoundness(one)!)].map(([why, scenarios]) =>
    isAll ? prose`${why}: ${links(scenarios)}` : prose`${links(scenarios)} (${why})`
  );
  return {
    level: "bad",
    sentence: isAll
      ? prose`Do not quote any number of this run (${joined(groups, "; ")}).`
      : prose`Do not quote ${joined(groups, ", ")}. ${sentence}`,
  };
}

/** Why a scenario is not valid, by the kind of its warning. */
const UNSOUND = new Map(Object.entries({
  drift: "it drifts",
  changed: "it changed over the run",
  cached: "served from a cache",
  clientCpu: "the client was the bottleneck",
  clientFloor: "the client was the bottleneck",
  clientBoundSizes: "the client was the bottleneck",
  clientLimit: "the client was the bottleneck",
  serverBehind: "the server fell behind the rate",
  clientLate: "the client was late",
}));

/** Why the rates are not the server's: the limiter, and the rate that stayed under it. */
function capWords(limit: RateLimit | null): Content {
  if (limit?.keptToPerSecond === undefined) {
    const what = limit === null ? "The rate of calls was capped" : "A rate limiter refused calls";
    return `${what}, so only the latencies are the server's`;
  }
  const { burst = 0, refillPerSecond = 0, owner, addressRefillPerSecond: shared } = limit;
  const whose = owner === "ip" ? "address" : "session";
  const address = shared === undefined ? "" : ` and ${formatNumber(shared)} a second per address`;
  return prose`Your server's rate limit: a burst of ${formatCounted(burst, "call")}, then
    ${formatNumber(refillPerSecond)} a second per ${whose}${address}. This run stayed at
    ${formatNumber(limit.keptToPerSecond)} a second, so throughput is not reported`;
}

/** Why a scenario's numbers should not be quoted; `null` if they can be. */
function unsoundness({ status, validity }: ScenarioReport): string | null {
  if (status === "failed" || status === "interrupted") return status;
  if (validity.valid) return null;
  return validity.warnings.flatMap(({ kind }) => UNSOUND.get(kind) ?? [])[0] ?? "not valid";
}

/** The widest headline or card of each scenario that can be quoted, the worst first. */
function widthsOf(report: Report): { scenario: ScenarioReport; width: number }[] {
  const cards = cardNumbers(report).map(({ measured }) => measured.metric);
  return report.scenarios.filter((one) => one.status !== "skipped" && unsoundness(one) === null)
    .map((scenario) => {
      const shown = scenario.metrics.filter((metric) => cards.includes(metric));
      const widths = [...headlines(scenario), ...shown].map((metric) => halfWidth(metric) ?? 0);
      return { scenario, width: Math.max(0, ...widths) };
    })
    .filter(({ width }) => width > 0)
    .sort((a, b) => b.width - a.width);
}

/** The widest relative half-interval of headlines and cards; `null` if none is wide. */
export function wideHalfWidth(report: Report): number | null {
  const widest = widthsOf(report)[0]?.width ?? 0;
  return widest > WIDE ? widest : null;
}

/** `repeat within 10 %, except in Payload size (41 %), Scaling (23 %) and 2 others (up to 15 %)` */
function repeatability(report: Report): { level: TrustLevel; text: Content } {
  const { epochs } = report;
  const widths = widthsOf(report);
  const [widest] = widths;
  if (widest === undefined) {
    const why = epochs === 0
      ? "measured once, not in epochs"
      : epochs < EPOCHS_FOR_INTERVALS
      ? `${formatCounted(epochs, "epoch")} of the ${EPOCHS_FOR_INTERVALS} that an interval needs`
      : "too few values for an interval";
    return { level: "caution", text: `How well the numbers repeat is not known (${why})` };
  }
  // At least half of the scenarios repeat within this, and all those that repeat well.
  const most = widths[Math.floor(widths.length / 2)]!.width;
  const bound = widths.find(({ width }) => width <= Math.max(most, WIDE))!.width;
  const percent = formatPercent(bound);
  const worse = widths.filter(({ width }) => width > bound && formatPercent(width) !== percent);
  const said = `The headline numbers repeat within ${percent}`;
  return {
    level: widest.width > WIDE ? "caution" : "good",
    text: worse.length === 0 ? said : prose`${said}, except in ${exceptions(report, worse)}`,
  };
}

function exceptions(report: Report, worse: ReturnType<typeof widthsOf>): Content {
  const named = worse.slice(0, NAMED).map(({ scenario, width }) =>
    prose`${scenarioLink(report, scenario)} (${formatPercent(width)})`
  );
  const [next, ...others] = worse.slice(NAMED);
  if (next !== undefined) {
    const count = formatCounted(others.length + 1, "other");
    const upTo = others.length === 0 ? "" : "up to ";
    named.push(prose`${count} (${upTo}${formatPercent(next.width)})`);
  }
  const last = named.pop()!;
  return named.length === 0 ? last : prose`${joined(named, ", ")} and ${last}`;
}
