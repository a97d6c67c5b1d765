/**
 * Throughput and latency over the number that a scenario varies: calls in flight, clients, payload
 * bytes, offered rate, sessions.
 *
 * @module
 */

import type { Distribution, Metric, Scalar, ScenarioReport } from "../../schema.ts";
import { percentileCurve } from "../../stats/percentile_curve.ts";
import { textOf } from "../document.ts";
import { capitalise, placeOf } from "../quantities.ts";
import { formatBytes, formatCountTick, formatDuration, formatPercent } from "../units.ts";
import { formatQuantity, formatRate } from "../units.ts";
import { type Axis, countAxis, linearScale, logScale, timeAxis, wideScale } from "./axes.ts";
import { dots, line, markedLine, type Point, rule, strokes } from "./marks.ts";
import { cut, distributionsOf, nameText, type Panel, type Plan, scalarsOf } from "./plan.ts";
import { COLORS } from "./theme.ts";

const RATE_UNIT = "msg/s";
/** With a smaller ratio between steps, not every step is a tick. */
const ROOMY = 1.3;
const PANEL_HEIGHT = 150;
/** The part of an axis that counts as its right end. */
const NEAR_END = 0.12;
/** The minimum ratio between the end of the axis and the objective. */
const HEADROOM = 1.25;

/** Names of axes and of rates that differ from the names in the report. */
const NAMES = new Map([
  ["inFlight", "Calls in flight"],
  ["payloadBytes", "Payload"],
  ["ratePerSecond", "Offered rate, msg/s"],
  ["sessions", "Concurrent sessions"],
  ["floor", "a server that does nothing"],
  ["fitted", "fitted scalability law"],
]);

type Sweep = NonNullable<ReturnType<typeof sweepOf>>;

/** The plan of a sweep; `null` for a scenario with fewer than two steps. */
export function sweepPlan(scenario: ScenarioReport): Plan | null {
  const sweep = sweepOf(scenario);
  if (sweep === null) return null;
  const title = titleOf(sweep);
  const panels = [
    ...sweep.rates.length === 0 ? [] : [ratePanel(sweep)],
    ...sweep.latencies.length < 2 ? [] : [latencyPanel(sweep)],
  ];
  const name = NAMES.get(sweep.key) ?? capitalise(nameText(sweep.key));
  panels.at(-1)!.x = { ...sweep.x, name };
  const shown = panels.map(({ caption }) => caption.replace(/,.*/, "").toLowerCase()).join(" and ");
  return { title, alt: `${title}. ${capitalise(shown)} by ${name.toLowerCase()}`, panels };
}

/** The first coordinate that is varied, and what was measured at each of its steps. */
function sweepOf(scenario: ScenarioReport) {
  const keyOf = ({ at = {} }: Metric) => {
    const [[key = "", value] = [], ...more] = Object.entries(at);
    return more.length === 0 && typeof value === "number" ? key : "";
  };
  const rising = <M extends Metric>(metrics: readonly M[], key: string) =>
    // Sizes are on a logarithmic axis, which has no place for 0.
    metrics.filter((one) => keyOf(one) === key && (key !== "payloadBytes" || stepOf(one, key) > 0))
      .toSorted((a, b) => stepOf(a, key) - stepOf(b, key));
  for (const key of new Set(scenario.metrics.map(keyOf))) {
    if (key === "") continue;
    const scalars = rising(scalarsOf(scenario), key).filter(({ unit }) => unit === RATE_UNIT);
    // The throughput first.
    const rates = [...Map.groupBy(scalars, ({ name }) => name).values()]
      .filter(({ length }) => length >= 2)
      .sort(([a], [b]) => Number(b!.name === "throughput") - Number(a!.name === "throughput"));
    const times = rising(distributionsOf(scenario), key);
    const latencies = times.filter(({ name }) => name === times[0]!.name);
    if (rates.length === 0 && latencies.length < 2) continue;
    const steps = new Set([...rates.flat(), ...latencies].map((metric) => stepOf(metric, key)));
    // For the most that meets an objective; `found` is its result.
    const isSearch = "sloMs" in scenario.parameters;
    const found = isSearch
      ? scalarsOf(scenario).find(({ role, at }) => role === "headline" && at === undefined)
      : undefined;
    return { scenario, key, rates, latencies, x: stepAxis([...steps], key), isSearch, found };
  }
  return null;
}

function stepOf({ at }: Metric, key: string): number {
  return Number(at![key]);
}

/** An axis with a tick at each step if there is room. */
function stepAxis(all: readonly number[], key: string): Axis {
  const steps = all.toSorted((a, b) => a - b);
  const [min, max] = [steps[0]!, steps.at(-1)!];
  const isRoomy = steps.every((step, nth) => nth === 0 || step > steps[nth - 1]! * ROOMY);
  return {
    ...min > 0 ? logScale(steps) : linearScale(steps),
    ...isRoomy ? { min, max, ticks: steps } : {},
    format: key === "payloadBytes" ? formatBytes : formatCountTick,
  };
}

function titleOf({ scenario, key, rates, latencies, isSearch, found }: Sweep): string {
  const place = ({ at }: Metric) => cut(textOf(placeOf(at)), 40);
  if (isSearch) {
    const share = scalarsOf(scenario).find(({ name }) => name === "metShare");
    const met = share === undefined ? "" : `, met in ${formatPercent(share.value)} of trials`;
    return found === undefined
      ? `No ${key === "ratePerSecond" ? "rate" : `number of ${nameText(key)}`} met the objective`
      : `${capitalise(nameText(found.name))}: ${formatQuantity(found.value, found.unit)}${met}`;
  }
  const best = rates[0]?.reduce((a, b) => b.value > a.value ? b : a);
  if (best !== undefined) return `Peak throughput: ${formatRate(best.value)} at ${place(best)}`;
  const ends = [latencies[0]!, latencies.at(-1)!]
    .map((metric) => `${formatDuration(metric.p50)} at ${place(metric)}`);
  return `Median latency: ${ends.join(", ")}`;
}

function ratePanel({ key, x, rates, found }: Sweep): Panel {
  const [main = [], ...others] = rates;
  const points = (metrics: readonly Scalar[]) =>
    metrics.map((metric): Point => [stepOf(metric, key), metric.value]);
  const beside = others.map((metrics) => {
    const { name } = metrics[0]!;
    return { name: NAMES.get(name) ?? nameText(name), points: points(metrics) };
  });
  if (key === "ratePerSecond") {
    beside.push({ name: "offered rate", points: points(main).map(([x]) => [x, x]) });
  }
  const intervals = main.flatMap((metric) => {
    const step = stepOf(metric, key);
    return metric.ci95 === null ? [] : [metric.ci95.map((bound): Point => [step, bound])];
  }) as [Point, Point][];
  const text = key === "ratePerSecond" ? "sustainable" : "carried";
  // Near the right end there is no room for the label to the right of the rule.
  const isRight = found !== undefined &&
    Math.log(x.max / found.value) < NEAR_END * Math.log(x.max / x.min);
  const mark = { text, color: COLORS.green, ...isRight ? { align: "right" as const } : {} };
  return {
    caption: `Throughput, ${RATE_UNIT}`,
    x,
    y: countAxis(wideScale(rates.flat().flatMap(({ value, ci95 }) => [value, ...ci95 ?? []]))),
    height: PANEL_HEIGHT,
    above: found === undefined ? 0 : 18,
    series: [
      {
        ...markedLine("throughput", points(main), { color: COLORS.blue }),
        z: 3,
        ...found === undefined ? {} : { markLine: rule("xAxis", found.value, mark) },
      },
      ...beside.map(({ name, points }, nth) =>
        line(name, points, { color: nth % 2 === 0 ? COLORS.orange : COLORS.pink, dashed: true })
      ),
      strokes("", intervals, { color: COLORS.blue }),
    ],
  };
}

function latencyPanel(
  { key, x, latencies, isSearch, scenario: { parameters: { sloMs } } }: Sweep,
): Panel {
  const points = (value: (metric: Distribution) => number | null) =>
    latencies.map((metric): Point => [stepOf(metric, key), value(metric)]);
  const medians = points(({ p50 }) => p50);
  const sure = points(({ p99 }) => p99);
  // A search judges by this p99, however few its samples.
  const unsure = points((metric) => metric.p99 === null ? tailOf(metric) : null);
  const objectiveNs = isSearch && typeof sloMs === "number" ? sloMs * 1e6 : null;
  const mark = { text: `objective ${formatDuration(objectiveNs)}`, color: COLORS.red };
  const isDrawn = (all: readonly Point[]) => all.some(([, ns]) => ns !== null);
  const times = [...medians, ...sure, ...unsure].map(([, ns]) => ns);
  const purple = { color: COLORS.purple };
  return {
    caption: "Latency",
    x,
    // With room for the label above the objective.
    y: timeAxis(wideScale([...times, objectiveNs === null ? null : objectiveNs * HEADROOM])),
    height: PANEL_HEIGHT,
    series: [
      {
        ...markedLine("median", medians, { color: COLORS.teal }),
        ...objectiveNs === null ? {} : { markLine: rule("yAxis", objectiveNs, mark) },
      },
      ...isDrawn(sure) ? [markedLine("p99", sure, purple)] : [],
      ...isDrawn(unsure)
        ? [dots("p99, under 1,000 samples", unsure, { ...purple, hollow: true })]
        : [],
    ],
  };
}

function tailOf(metric: Distribution): number {
  return percentileCurve(metric).find(([x]) => x >= 100)?.[1] ?? metric.max;
}
