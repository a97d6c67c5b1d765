/**
 * What a report holds of heavy tools: those that do real work, and what they do to cheap calls beside
 * them. Shared by every format.
 *
 * @module
 */

import type { Distribution, Report, Scalar } from "../schema.ts";
import { type Cell, quantity, textRows } from "./cells.ts";
import { findDistribution, findScalar, findScenario } from "./lookup.ts";
import { formatCount, formatDuration, formatInterval, formatRatio } from "./units.ts";

/** Those that the phase document calls heavy, under any ending that a server strips. */
const HEAVY_NAME = /^(chat|analyze|debug)(?![A-Za-z0-9])/;

/** What was measured of one tool. */
export interface HeavyToolNumbers {
  tool: string;
  /** To the result, one call at a time. */
  latency: Distribution | undefined;
  /** To the first progress frame, one call at a time. */
  firstProgress: Distribution | undefined;
  /** To the result, with all clients at once. */
  concurrent: Distribution | undefined;
  /** Replies that came from a cache; none of them in the others. */
  cached: Distribution | undefined;
}

/** Whether the run is the phase of heavy tools, whose report is one of its own. */
export function isHeavyPhase({ profile }: Report): boolean {
  return profile === "phase3";
}

/** Whether the tool that all other scenarios call is a heavy one itself. */
export function callsHeavyTool({ target }: Report): boolean {
  return HEAVY_NAME.test(target.tool);
}

/** Every tool that was called: in the phase of heavy tools the light one comes last. */
export function calledTools(report: Report): string[] {
  const heavy = heavyToolNumbers(report).map(({ tool }) => tool);
  const { tool } = report.target;
  const tools = isHeavyPhase(report) ? [...heavy, tool] : [tool, ...heavy];
  return [...new Set(tools)];
}

/** The throughput of one client with the mix of heavy tools, in calls per second; `null`: not measured. */
export function heavyThroughput(report: Report): number | null {
  return findScalar(findScenario(report, "heavy-tools"), "throughputAlone")?.value ?? null;
}

/** Each heavy tool that was measured, in report order. */
export function heavyToolNumbers(report: Report): HeavyToolNumbers[] {
  const scenario = findScenario(report, "heavy-tools");
  const names = (scenario?.metrics ?? []).flatMap(({ name }) =>
    /^(?:latency|concurrentLatency|cached)\.(.+)$/.exec(name)?.[1] ?? []
  );
  return [...new Set(names)].map((tool) => ({
    tool,
    latency: findDistribution(scenario, `latency.${tool}`),
    firstProgress: findDistribution(scenario, `firstProgress.${tool}`),
    concurrent: findDistribution(scenario, `concurrentLatency.${tool}`),
    cached: findDistribution(scenario, `cached.${tool}`),
  }));
}

/** The headings of {@linkcode heavyToolRows}. */
export const HEAVY_TOOL_HEADINGS = [
  "Tool",
  "Calls alone",
  "First progress",
  "Result",
  "Longest",
  "Result, all clients",
  "From a cache",
];

/** One row for each heavy tool; times are medians, but for the longest. */
export function heavyToolRows(report: Report): string[][] {
  return textRows(heavyToolCells(report));
}

/** The rows of {@linkcode heavyToolRows} with their values. */
export function heavyToolCells(report: Report): Cell[][] {
  return heavyToolNumbers(report).map(({ tool, latency, firstProgress, concurrent, cached }) => [
    tool,
    quantity(latency?.count ?? 0, formatCount),
    quantity(firstProgress?.p50 ?? null, formatDuration),
    quantity(latency?.p50 ?? null, formatDuration),
    quantity(latency?.max ?? null, formatDuration),
    quantity(concurrent?.p50 ?? null, formatDuration),
    quantity(cached?.count ?? 0, formatCount),
  ]);
}

/** Where cheap calls were sent beside a heavy one, by the name of the metric. */
const PLACES = {
  sameConnection: "on the same connection",
  otherConnection: "on another connection",
  otherAddress: "from another address",
} as const;
export type Place = keyof typeof PLACES;

/** How much longer cheap calls took in one place. */
export interface Interference {
  place: Place;
  /** Such as `on another connection`. */
  where: string;
  ratio: Scalar;
  latency: Distribution | undefined;
}

/** Each place that has a ratio. */
export function interferences(report: Report): Interference[] {
  const scenario = findScenario(report, "head-of-line");
  return (Object.keys(PLACES) as Place[]).flatMap((place) => {
    const ratio = findScalar(scenario, `interference.${place}`);
    if (ratio === undefined) return [];
    return [{ place, where: PLACES[place], ratio, latency: findDistribution(scenario, place) }];
  });
}

/** The headings of {@linkcode interferenceRows}. */
export const INTERFERENCE_HEADINGS = [
  "Cheap call",
  "As long as alone",
  "Calls",
  "Median",
  "Longest",
  "Ratio, 95 % interval",
];

/** One row for the cheap calls alone, and one for each place beside a heavy call. */
export function interferenceRows(report: Report): string[][] {
  return textRows(interferenceCells(report));
}

/** The rows of {@linkcode interferenceRows} with their values. */
export function interferenceCells(report: Report): Cell[][] {
  const alone = findDistribution(findScenario(report, "head-of-line"), "alone");
  const row = (name: string, latency: Distribution | undefined, ratio?: Scalar): Cell[] => [
    name,
    quantity(ratio?.value ?? null, formatRatio),
    quantity(latency?.count ?? 0, formatCount),
    quantity(latency?.p50 ?? null, formatDuration),
    quantity(latency?.max ?? null, formatDuration),
    formatInterval(ratio?.ci95 ?? null, "x"),
  ];
  const places = interferences(report).map(({ where, latency, ratio }) =>
    row(`beside a heavy one, ${where}`, latency, ratio)
  );
  return alone === undefined ? places : [row("alone", alone), ...places];
}
