/**
 * How far the numbers of a run can be relied on, in one sentence: which of them are not to be quoted, how well the
 * others repeat, and what the client and the machine had to do with them. Decided here and nowhere else.
 *
 * @module
 */

import type { RateLimit, Report, ScenarioReport } from "../schema.ts";
import { type Content, foreign, type Inline, joined, link, prose } from "./document.ts";
import { halfWidth, headlines, isCapped, ranScenarios } from "./quantities.ts";
import { formatCounted, formatNumber, formatPercent } from "./units.ts";

/** good: quote the numbers; caution: with what the sentence says; bad: not at all, or not all of them. */
export type TrustLevel = "good" | "caution" | "bad";

export interface Trust {
  level: TrustLevel;
  sentence: Content;
}

/** Headlines that repeat no better than this are wide. */
const WIDE = 0.1;
/** Above this share of the time, other work held the machine up. */
const PRESSED = 0.1;
const EPOCHS_FOR_INTERVALS = 5;

/** The id of a scenario's section, unique in its report. */
export function scenarioId(report: Report, scenario: ScenarioReport): string {
  const slug = scenario.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return `scenario-${report.scenarios.indexOf(scenario) + 1}${slug === "" ? "" : `-${slug}`}`;
}

/** A scenario's title, linked to its section. */
export function scenarioLink(report: Report, scenario: ScenarioReport): Inline {
  return link(scenarioId(report, scenario), foreign(scenario.title));
}

/** What the run's numbers are good to. */
export function trustOf(report: Report): Trust {
  const { rateLimit, environment: { cpuPressure } } = report;
  const ran = ranScenarios(report);
  if (ran.every(({ metrics }) => metrics.length === 0)) {
    return { level: "bad", sentence: "There are no numbers: nothing was measured." };
  }
  const links = (scenarios: readonly ScenarioReport[]) =>
    joined(scenarios.map((one) => scenarioLink(report, one)), ", ");
  const part = (applies: boolean, level: TrustLevel, text: Content) =>
    applies ? [{ level, text }] : [];
  const shares = ran.flatMap(({ validity }) => validity.clientCpu ?? []);
  const undecided = ran.filter(({ validity }) => validity.client === "undecided");
  const unsound = ran.filter((scenario) => unsoundness(scenario) !== null);
  const used = `the client used ${formatPercent(Math.max(...shares))} of a core`;
  const bound = prose`the client may have been the bottleneck in ${links(undecided)}`;
  const waited = `work waited for a core ${formatPercent(cpuPressure)} of the time`;
  const parts = [
    repeatability(report, links),
    ...part(shares.length > 0, "good", used),
    ...part(undecided.length > 0, "caution", bound),
    ...part((cpuPressure ?? 0) >= PRESSED, "caution", waited),
    ...part(ran.some(isCapped), "caution", capWords(rateLimit)),
  ];
  const sentence = prose`${joined(parts.map(({ text }) => text), "; ")}.`;
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

/** Why a scenario is not valid, by the kinds of warnings, in a few words. */
const UNSOUND = new Map(Object.entries({
  drift: "it drifts",
  changed: "it changed over the run",
  cached: "served from a cache",
  clientCpu: "the client was the bottleneck",
  clientFloor: "the client was the bottleneck",
  serverBehind: "the server fell behind the rate",
  clientLate: "the client was late",
}));

/** Why rates say nothing of the server: the limiter that the run stayed under, and the rate at which it did. */
function capWords(limit: RateLimit | null): Content {
  if (limit?.keptToPerSecond === undefined) {
    const what = limit === null ? "the rate of calls was capped" : "a rate limiter refused calls";
    return `${what}, so only the latencies are the server's`;
  }
  const { burst = 0, refillPerSecond = 0, owner, addressRefillPerSecond: shared } = limit;
  const whose = owner === "ip" ? "address" : "session";
  const address = shared === undefined ? "" : `, ${formatNumber(shared)} per address`;
  return prose`your server allows ${formatCounted(burst, "call")} and then
    ${formatNumber(refillPerSecond)} a second per ${whose}${address}: measured at
    ${formatNumber(limit.keptToPerSecond)} a second, so only the latencies are the server's`;
}

/** Why the numbers of a scenario are not to be quoted, in a few words; `null`: they can be. */
export function unsoundness({ status, validity }: ScenarioReport): string | null {
  if (status === "failed" || status === "interrupted") return status;
  if (validity.valid) return null;
  return validity.warnings.flatMap(({ kind }) => UNSOUND.get(kind) ?? [])[0] ?? "not valid";
}

/** How well the headlines that can be quoted repeat, the worst first. */
function widthsOf({ scenarios }: Report): { scenario: ScenarioReport; width: number }[] {
  const all = scenarios.filter((one) => one.status !== "skipped" && unsoundness(one) === null);
  return all.flatMap((scenario) =>
    headlines(scenario).flatMap(({ metric }) => {
      const width = halfWidth(metric);
      return width === null ? [] : [{ scenario, width }];
    })
  ).sort((a, b) => b.width - a.width);
}

/** Half the widest interval of the headlines, relative to its value, where that is wide; else `null`. */
export function wideHalfWidth(report: Report): number | null {
  const widest = widthsOf(report)[0]?.width ?? 0;
  return widest > WIDE ? widest : null;
}

function repeatability(
  report: Report,
  links: (scenarios: readonly ScenarioReport[]) => Inline[],
): { level: TrustLevel; text: Content } {
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
  const wide = new Set(widths.filter(({ width }) => width > WIDE).map(({ scenario }) => scenario));
  const narrow = widths.find(({ width }) => width <= WIDE);
  const said = `The headline numbers repeat within ${formatPercent((narrow ?? widest).width)}`;
  if (wide.size === 0) return { level: "good", text: said };
  const but = prose`${said}, but within ${formatPercent(widest.width)} in ${links([...wide])}`;
  return { level: "caution", text: narrow === undefined ? said : but };
}
