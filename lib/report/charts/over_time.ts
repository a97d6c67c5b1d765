/**
 * What changes with time: every scenario over the epochs of the run, with unanswered calls marked, and
 * one long scenario within its only epoch.
 *
 * @module
 */

import type { Distribution, Metric, Report, Scalar } from "../../schema.ts";
import type { ScenarioReport, SeriesPoint } from "../../schema.ts";
import { silentIntervals } from "../../stats/silences.ts";
import { capitalise, headlines, isSamePlace } from "../quantities.ts";
import { formatCounted, formatDuration, formatDurationTick } from "../units.ts";
import { countAxis, linearScale, timeAxis, wideScale } from "./axes.ts";
import { bands, dots, line, markedLine, type Point } from "./marks.ts";
import { overviewCurves } from "./percentiles.ts";
import { distinct, distributionsOf, nameText, type Plan } from "./plan.ts";
import { COLORS, SERIES_COLORS } from "./theme.ts";

/** Fewer epochs, or intervals of a time series, show no course. */
const FEWEST = 3;

/** The plan of the scenarios whose headline has both latency and throughput; `null` for none. */
export function overRunPlan(report: Report): Plan | null {
  const courses = coursesOf(report);
  if (courses.length === 0) return null;
  const points = ({ times }: { times: number[] }, values: readonly (number | null)[]) =>
    times.map((at, epoch): Point => [at, values[epoch] ?? null]);
  const failed = courses.flatMap((course) =>
    points(course, course.latency.epochs.map(({ p50, censored }) => censored > 0 ? p50 : null))
      .filter(([, ns]) => ns !== null)
  );
  const medians = courses.flatMap(({ latency }) => latency.epochs.map(({ p50 }) => p50));
  const x = timeAxis(linearScale(courses.flatMap(({ times }) => times)));
  const errors = failed.length === 0
    ? "Every call was answered"
    : `Unanswered calls in ${formatCounted(failed.length, "epoch")}`;
  const title = "Latency and throughput over the run";
  return {
    title,
    alt: `${title}, epoch by epoch: ${courses.map(({ name }) => name).join(", ")}. ${errors}`,
    panels: [{
      caption: "Median latency in each epoch",
      x,
      y: timeAxis(wideScale(medians)),
      height: 110,
      series: [
        ...courses.map((one) =>
          markedLine(one.name, points(one, one.latency.epochs.map(({ p50 }) => p50)), one)
        ),
        ...failed.length === 0 ? [] : [
          dots("unanswered calls", failed, { color: COLORS.red, width: 12, hollow: true }),
        ],
      ],
    }, {
      caption: "Throughput, msg/s",
      x: { ...x, name: "Time since the run began" },
      y: countAxis(linearScale(courses.flatMap(({ rate }) => rate.epochs))),
      height: 90,
      series: courses.map((one) => markedLine(one.name, points(one, one.rate.epochs), one)),
    }],
  };
}

/** The scenarios with both, with their colours. */
function coursesOf(report: Report) {
  const { scenarios, startedAt } = report;
  const all = scenarios.flatMap((scenario) => {
    const { metrics, measured, title } = scenario;
    const [headline] = headlines(scenario);
    const beside = metrics.filter((one) => headline !== undefined && isSamePlace(one, headline));
    const latency = beside.find((one): one is Distribution =>
      one.kind === "distribution" && one.added === undefined
    );
    const rate = beside.find((one: Metric): one is Scalar => one.unit === "msg/s");
    // The middle of each epoch, in nanoseconds since the run began.
    const times = (measured?.epochs ?? []).map(({ startMs, endMs }) =>
      Math.max(0, (startMs + endMs) / 2 - Date.parse(startedAt)) * 1e6
    );
    const isWhole = times.length >= FEWEST && latency?.epochs.length === times.length &&
      rate?.epochs.length === times.length;
    return isWhole ? [{ name: nameText(title), times, latency: latency!, rate: rate! }] : [];
  }).slice(0, SERIES_COLORS.length);
  // A scenario has one colour in both overviews.
  const shown = overviewCurves(report).map(({ name }) => name);
  const known = all.map(({ name }) => SERIES_COLORS[shown.indexOf(name)]);
  const free = SERIES_COLORS.filter((color) => !known.includes(color));
  const names = distinct(all.map(({ name }) => name));
  return all.map((course, nth) => ({
    ...{ ...course, name: names[nth]! },
    color: known[nth] ?? free.shift()!,
  }));
}

/** The plan of a scenario's first time series; `null` if it has none, or several epochs. */
export function coursePlan(scenario: ScenarioReport): Plan | null {
  if ((scenario.measured?.epochs.length ?? 1) > 1) return null;
  const distribution = distributionsOf(scenario).find(({ series }) => series.length >= FEWEST);
  if (distribution === undefined) return null;
  const series = distribution.series.toSorted((a, b) => a.atMs - b.atMs);
  const widths = series.slice(1).map(({ atMs }, nth) => atMs - series[nth]!.atMs);
  const widthMs = Math.min(...widths.filter((width) => width > 0), 3_600_000);
  const silences = silentIntervals(series, widthMs);
  const title = slowestText(series) + silenceText(silences);
  const resolution = formatDurationTick(widthMs * 1e6);
  const curve = (name: string, color: string, value: (point: SeriesPoint) => number | null) =>
    line(
      name,
      series.map((point): Point => [(point.atMs + widthMs / 2) * 1e6, value(point)]),
      { color, width: name === "slowest call" ? 1.2 : 2 },
    );
  const red = silences.length === 0 ? {} : { markArea: bands(silences, COLORS.red) };
  // The last interval may be cut short.
  const rate = (point: SeriesPoint) => point === series.at(-1) ? null : point.count / widthMs * 1e3;
  const x = timeAxis(linearScale([(series.at(-1)!.atMs + widthMs) * 1e6]));
  const hasP99 = series.some(({ p99 }) => p99 !== null);
  return {
    title,
    alt: `${title}. Median, ${hasP99 ? "p99, " : ""}slowest call and replies, ${resolution} apart`,
    panels: [{
      caption: capitalise(nameText(distribution.name)) +
        (silences.length === 0 ? "" : "; red: no reply"),
      x,
      y: timeAxis(wideScale(series.flatMap(({ p50, p99, max }) => [p50, p99, max]))),
      height: 170,
      series: [
        { ...curve("slowest call", COLORS.orange, ({ max }) => max), ...red },
        ...hasP99 ? [curve("p99", COLORS.purple, ({ p99 }) => p99)] : [],
        curve("median", COLORS.blue, ({ p50 }) => p50),
      ],
    }, {
      caption: "Replies, msg/s",
      x: { ...x, name: "Time since the first call" },
      y: countAxis(linearScale(series.map(rate))),
      height: 90,
      series: [{ ...curve("replies", COLORS.teal, rate), ...red }],
    }],
  };
}

function slowestText(series: readonly SeriesPoint[]): string {
  const { atMs, max } = series.reduce((a, b) => (b.max ?? 0) > (a.max ?? 0) ? b : a);
  const when = atMs === 0 ? "at the start" : `after ${formatDurationTick(atMs * 1e6)}`;
  return `The slowest call took ${formatDuration(max)}, ${when}`;
}

function silenceText(silences: readonly [number, number][]): string {
  const longest = Math.max(0, ...silences.map(([from, to]) => to - from));
  return longest === 0 ? "" : `; no reply for ${formatDuration(longest)}`;
}
