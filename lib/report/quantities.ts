/**
 * Metrics as quantities, places and sparklines: what every section of a report shows of a metric.
 *
 * @module
 */

import type { Added, At, Distribution, Fact, Interval, Metric } from "../schema.ts";
import { type Change, CHANGES, type ComparisonRow } from "../schema.ts";
import type { Report, ScenarioReport } from "../schema.ts";
import { madOutliers, median } from "../stats/median.ts";
import { firstQuartile } from "../stats/percentile_curve.ts";
import { isAtLeast } from "../stats/percentiles.ts";
import { describeCourse } from "../stats/trend.ts";
import { type FigureName, foreign, type Inline, joined, type Quantity } from "./document.ts";
import type { Sparkline, Strip } from "./document.ts";
import { formatBytes, formatCount, formatCounted, formatInterval, formatNumber } from "./units.ts";
import { formatMilliseconds, formatQuantity, isKnown, type Scale, scaleOf } from "./units.ts";

/** A metric and its scenario. */
export interface Measured {
  scenario: ScenarioReport;
  metric: Metric;
}

/** Figures that calls without an answer can make lower bounds; for the mean, a single one is enough. */
const PERCENTILES: Partial<Record<FigureName, number>> = {
  ...{ p5: 5, p50: 50, p75: 75, p90: 90, p95: 95, p99: 99, p999: 99.9, max: 100, mean: 100 },
};

/** The main figure of a metric: the median of times, the value of anything else. */
function mainFigure(metric: Metric): FigureName {
  return metric.kind === "scalar" ? "value" : "p50";
}

/** A figure in the metric's unit; `null` if not known. */
export function figureValue(metric: Metric, figure: FigureName): number | null {
  if (metric.kind === "scalar") return figure === "value" ? metric.value : null;
  if (figure === "value") return null;
  if (figure === "added") return metric.added?.value ?? null;
  return figure === "share" ? metric.added?.share ?? null : metric[figure];
}

/** The 95 % interval of a figure in the metric's unit; `null` if there is none or it is empty. */
function figureInterval(metric: Metric, figure: FigureName): Interval | null {
  const known: Partial<Record<FigureName, Interval | null>> = metric.kind === "scalar"
    ? { value: metric.ci95 }
    : { ...metric.ci95, added: metric.added?.ci95 };
  const interval = known[figure];
  return interval && interval[0] !== interval[1] ? interval : null;
}

/**
 * A figure of a metric; a percentile among unanswered calls is "at least" the timeout, and a mean
 * with one of them at least its value.
 *
 * @param scale the scale of the figures next to it
 */
export function quantity(
  metric: Metric,
  figure: FigureName = mainFigure(metric),
  scale?: Scale,
): Quantity {
  const value = figureValue(metric, figure);
  // A slowdown factor up to 1 is chance.
  const isNoSlowdown = metric.unit === "x" && metric.better === "lower" && isKnown(value) &&
    value <= 1 && figure !== "count";
  const text = isNoSlowdown
    ? "no slowdown seen"
    : figure === "count"
    ? formatCount(value)
    : formatQuantity(value, figure === "share" ? "share" : metric.unit, scale);
  const percentile = PERCENTILES[figure];
  const isLeast = metric.kind === "distribution" && percentile !== undefined && isKnown(value) &&
    isAtLeast(metric, percentile);
  return { kind: "quantity", metric, figure, text: isLeast ? `at least ${text}` : text };
}

/** The main figure's value. */
export function mainValue(metric: Metric): number {
  return metric.kind === "scalar" ? metric.value : metric.p50;
}

/** The scale for a row of figures of one metric: that of its main figure. */
export function rowScale(metric: Metric): Scale {
  return scaleOf(mainValue(metric), metric.unit);
}

/** `205 to 219 µs`, or `205 to 219` without its unit; empty if there is no interval. */
export function intervalText({ metric, figure }: Quantity, namesUnit = true): string {
  const interval = figureInterval(metric, figure);
  if (interval === null) return "";
  return formatInterval(interval, metric.unit, figureValue(metric, figure), namesUnit);
}

/** The half-interval of a metric, relative to its value; `null` if there is none. */
export function halfWidth(metric: Metric): number | null {
  const [interval, value] = [figureInterval(metric, mainFigure(metric)), mainValue(metric)];
  if (interval === null || value === 0) return null;
  return Math.abs((interval[1] - interval[0]) / 2 / value);
}

/** `212 µs (205 to 219)` */
export function withInterval(one: Quantity): Inline[] {
  const interval = intervalText(one, false);
  return interval === "" ? [one] : [one, ` (${interval})`];
}

/** Epochs closer to the median than this are never outliers. */
const OUTLIER_SHARE = 0.1;

/** The epochs of a metric, with outliers and unanswered calls marked; `null` for fewer than two. */
export function sparkline(metric: Metric): Sparkline | null {
  const values = metric.kind === "scalar" ? metric.epochs : metric.epochs.map(({ p50 }) => p50);
  const known = values.filter(isKnown);
  if (known.length < 2) return null;
  const middle = median(known);
  const far = madOutliers(known).map((index) => known[index]!)
    .filter((value) => Math.abs(value - middle) > OUTLIER_SHARE * Math.abs(middle));
  const failed = metric.kind === "scalar" ? [] : metric.epochs.map(({ censored }) => censored > 0);
  const outliers = values.flatMap((value, index) =>
    isKnown(value) && (far.includes(value) || failed[index]) ? [index] : []
  );
  const range = formatInterval([Math.min(...known), Math.max(...known)], metric.unit, middle);
  const marked = outliers.length === 0 ? "" : `, ${formatCounted(outliers.length, "outlier")}`;
  const label = `${formatCounted(known.length, "epoch")}, ${range}${marked}`;
  return { kind: "sparkline", values, outliers, label };
}

/** The box of a distribution; `null` if it has too few samples or its histogram is unreadable. */
export function strip(metric: Metric): Strip | null {
  if (metric.kind === "scalar" || metric.p75 === null) return null;
  const { min, p5, p50, p75, p90, p95, p99 } = metric;
  const [high, end] = p99 !== null ? [p99, "p99"] : p95 !== null ? [p95, "p95"] : [p90, "p90"];
  const quarter = firstQuartile(metric);
  if (quarter === null || high === null) return null;
  const low = p5 ?? min;
  const range = formatInterval([low, high], "ns", p50);
  const ends = `${p5 === null ? "fastest" : "p5"} to ${end}`;
  const label = `${ends}: ${range}`;
  return { kind: "strip", low, quarter, median: p50, threeQuarters: p75, high, ends, label };
}

/** Names that do not read well when split into words. */
const NAMES = new Map(Object.entries({
  ...{ codec: "JSON", wakeup: "thread wake-up", tcp: "TCP", websocket: "WebSocket" },
  ...{ routing: "server routing", served99: "99 % served", rSquared: "R²" },
  ...{ ipBurst: "IP burst", ipRefill: "IP refill" },
}));

/** `slotRelease` as words: `slot release`. */
export function words(name: string): string {
  return NAMES.get(name) ?? name.replace(/[a-z][A-Z]/g, ([a, b]) => `${a} ${b!.toLowerCase()}`);
}

/** The name of a parameter or a place without its unit, and how its values are shown. */
export function unitOf(name: string): [base: string, format: (value: number) => string] {
  if (name.endsWith("Bytes")) return [name.slice(0, -5), formatBytes];
  if (name.endsWith("Ms")) return [name.slice(0, -2), formatMilliseconds];
  if (!name.endsWith("PerSecond")) return [name, formatNumber];
  return [name.slice(0, -9), (value) => `${formatNumber(value)} a second`];
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The place of a metric in words: `5 clients, 8 in flight`. */
export function placeOf(at: At = {}): Inline[] {
  const places = Object.entries(at).map(([name, value]) => {
    if (typeof value === "string") return foreign(words(value));
    if (name === "clients") return formatCounted(value, "client");
    if (name === "sessions") return formatCounted(value, "session");
    if (name === "inFlight") return `${formatCount(value)} in flight`;
    if (name === "payloadBytes") return formatBytes(value);
    if (name === "ratePerSecond") return `${formatNumber(value)} calls/s`;
    return [foreign(words(name)), ` ${formatNumber(value)}`];
  });
  return joined(places, ", ");
}

/** A key that is equal for equal places. */
export const placeKey = ({ at = {} }: { at?: At }): string => JSON.stringify(at);

/** True for two things measured at the same place. */
export function isSamePlace(one: { at?: At }, other: { at?: At }): boolean {
  return placeKey(one) === placeKey(other);
}

/**
 * `latency` without coordinates, `throughput@8` at one number, `latency.chat` at one name, else
 * `throughput@clients=5,inFlight=1`.
 */
export function metricLabel({ name, at }: { name: string; at?: At }): string {
  const coordinates = Object.entries(at ?? {});
  const [first] = coordinates;
  if (first === undefined) return name;
  if (coordinates.length > 1) {
    return `${name}@${coordinates.map(([key, value]) => `${key}=${value}`).join(",")}`;
  }
  return typeof first[1] === "number" ? `${name}@${first[1]}` : `${name}.${first[1]}`;
}

/** The label of a metric: just its name if that is unique in the scenario. */
export function shortLabel({ metrics }: ScenarioReport, metric: Metric): string {
  const isOnly = metrics.every((other) => other === metric || other.name !== metric.name);
  return isOnly ? metric.name : metricLabel(metric);
}

/** The metric of a row, as short as in {@linkcode shortLabel}, and the figure: `latency p50`. */
export function rowLabel(row: ComparisonRow, rows: readonly ComparisonRow[]): string {
  const { scenario, metric, at, statistic } = row;
  const isOnly = rows.every((other) =>
    other.scenario !== scenario || other.metric !== metric || isSamePlace(other, row)
  );
  const label = isOnly ? metric : metricLabel({ name: metric, at });
  return label + (statistic === "value" ? "" : ` ${statistic}`);
}

/** Metrics derived from rates. */
const MADE_OF_RATES = ["speedup", "fairness", "efficiency", "unitFactor"];

/** True if an option or a rate limiter, not the server's speed, set the rate of calls. */
export function isCapped(
  { parameters, notes = [], ledger, warmupLedger, overloads = false }: ScenarioReport,
): boolean {
  return typeof parameters.maxRatePerSecond === "number" ||
    notes.some(({ kind }) => kind === "cappedRate") ||
    (!overloads && ledger.rateLimited + warmupLedger.rateLimited > 0);
}

/** A report without capped rates, which say nothing about the server. */
export function withoutCappedRates(report: Report): Report {
  const isRate = ({ unit, name }: Metric) =>
    unit === "msg/s" || unit === "bytes/s" || MADE_OF_RATES.includes(name);
  const scenarios = report.scenarios.map((scenario) =>
    isCapped(scenario)
      ? { ...scenario, metrics: scenario.metrics.filter((metric) => !isRate(metric)) }
      : scenario
  );
  return { ...report, scenarios };
}

/** The name of a metric next to its value; the last layer of a call is the call itself. */
export function label(metric: Metric): string {
  return isLayer(metric) ? "call" : words(metric.name);
}

/** The times of a layer of a call, with what it adds. */
export type Layer = Distribution & { added: Added };

export function isLayer(metric: Metric): metric is Layer {
  return metric.kind === "distribution" && metric.added !== undefined;
}

/** The message of a fact; one about the headline's change gets its numbers with their unit. */
export function factWords(scenario: ScenarioReport, fact: Fact): string {
  const { kind, message, first, last } = fact;
  const [headline] = headlines(scenario);
  if ((kind !== "drift" && kind !== "changed") || !headline) return message;
  if (typeof first !== "number" || typeof last !== "number") return message;
  const [from, to] = [first, last].map((value) => formatQuantity(value, headline.unit));
  return describeCourse(kind, { name: label(headline), from, to });
}

/** The scenarios that were not skipped. */
export function ranScenarios(report: Report): ScenarioReport[] {
  return report.scenarios.filter(({ status }) => status !== "skipped");
}

/** The headlines of a scenario, else its first gate, else its first metric. */
export function headlines({ metrics }: ScenarioReport): readonly Metric[] {
  const marked = metrics.filter(({ role }) => role === "headline");
  const other = metrics.find(({ role }) => role === "gate") ?? metrics[0];
  return marked.length > 0 || other === undefined ? marked : [other];
}

/** The first metric called `name`, in any scenario or in the one called `of`. */
export function findMetric(report: Report, name: string, of?: string): Measured | undefined {
  return ranScenarios(report).filter((one) => of === undefined || one.name === of)
    .flatMap((scenario) => scenario.metrics.map((metric) => ({ scenario, metric })))
    .find(({ metric }) => metric.name === name);
}

/** `1 slower, 2 same`: rows by verdict, in the order given. */
export function verdictCounts(
  rows: readonly ComparisonRow[],
  order: readonly Change[] = CHANGES,
): string {
  return order.map((verdict) => [rows.filter((row) => row.verdict === verdict).length, verdict])
    .filter(([count]) => count !== 0).map((one) => one.join(" ")).join(", ");
}
