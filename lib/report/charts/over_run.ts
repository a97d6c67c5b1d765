/**
 * Latency and throughput of each scenario over the run, epoch by epoch, with unanswered calls marked.
 *
 * @module
 */

import type { Distribution, Metric, Report, Scalar } from "../../schema.ts";
import { headlines, isSamePlace } from "../quantities.ts";
import { formatCounted } from "../units.ts";
import { countAxis, linearScale, timeAxis, wideScale } from "./axes.ts";
import { dots, markedLine, type Point } from "./marks.ts";
import { overviewCurves } from "./percentiles.ts";
import { distinct, nameText, type Plan } from "./plan.ts";
import { COLORS, SERIES_COLORS } from "./theme.ts";

const FEWEST_EPOCHS = 3;

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
    const isWhole = times.length >= FEWEST_EPOCHS && latency?.epochs.length === times.length &&
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
