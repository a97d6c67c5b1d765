/**
 * How far the numbers of a run can be relied on, in one sentence: which of them are not to be quoted, how well the
 * others repeat, and what the client and the machine had to do with them. Decided here and nowhere else.
 *
 * @module
 */

import type { RateLimit, Report, ScenarioReport } from "../schema.ts";
import { type Content, foreign, type Inline, joined, link } from "./document.ts";
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
  const capped = ran.some(isCapped);
  const unsound = ran.filter((scenario) => unsoundness(scenario) !== null);
  const parts = [
    repeatability(report, links),
    ...part(
      shares.length > 0,
      "good",
      `the client used ${formatPercent(Math.max(...shares))} of a core`,
    ),
    ...part(undecided.length > 0, "caution", [
      "the client may have been the bottleneck in ",
      ...links(undecided),
    ]),
    ...part(
      (cpuPressure ?? 0) >= PRESSED,
      "caution",
      `work waited for a core ${formatPercent(cpuPressure)} of the time`,
    ),
    ...part(
      capped,
      "caution",
      rateLimit?.keptToPerSecond === undefined
        ? `${
          rateLimit === null ? "the rate of calls was capped" : "a rate limiter refused calls"
        }, so only the latencies are the server's`
        : `${
          describeLimit(rateLimit, rateLimit.keptToPerSecond)
        }, so only the latencies are the server's`,
    ),
  ];
  const sentence = [...joined(parts.map(({ text }) => text), "; "), "."];
  const level = parts.some(({ level }) => level === "caution") ? "caution" : "good";
  if (unsound.length === 0) return { level, sentence };
  const isAll = unsound.length === ran.length;
  const groups = [...Map.groupBy(unsound, unsoundness)].map(([why, scenarios]) =>
    isAll ? [`${why}: `, ...links(scenarios)] : [...links(scenarios), ` (${why})`]
  );
  return {
    level: "bad",
    sentence: isAll
      ? ["Do not quote any number of this run (", ...joined(groups, "; "), ")."]
      : ["Do not quote ", ...joined(groups, ", "), ". ", ...sentence],
  };
}

/** Why a scenario is not valid, by the kinds of warnings, in a few words. */
const UNSOUND = new Map(Object.entries({
  drift: "it drifts",
  cached: "served from a cache",
  clientCpu: "the client was the bottleneck",
  clientFloor: "the client was the bottleneck",
  serverBehind: "the server fell behind the rate",
  clientLate: "the client was late",
}));

/** A limiter that the run stayed under, and the rate at which it did. */
function describeLimit(
  { burst = 0, refillPerSecond = 0, owner, addressRefillPerSecond }: RateLimit,
  keptToPerSecond: number,
): string {
  return `your server allows ${formatCounted(burst, "call")} and then ` +
    `${formatNumber(refillPerSecond)} a second per ${owner === "ip" ? "address" : "session"}` +
    (addressRefillPerSecond === undefined
      ? ""
      : `, ${formatNumber(addressRefillPerSecond)} per address`) +
    ": " +
    `measured at ${formatNumber(keptToPerSecond)} a second`;
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
  const but = [`${said}, but within ${formatPercent(widest.width)} in `, ...links([...wide])];
  return { level: "caution", text: narrow === undefined ? said : but };
}
