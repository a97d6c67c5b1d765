/**
 * The time at each percentile. As in the plots of HdrHistogram, the x axis is 1/(1-q), logarithmic:
 * 90 %, 99 % and 99.9 % are equally far apart.
 *
 * @module
 */

import type { Distribution, Report, ScenarioReport } from "../../schema.ts";
import { percentileCurve } from "../../stats/percentile_curve.ts";
import { capitalise } from "../quantities.ts";
import { formatDuration } from "../units.ts";
import { logScale, timeAxis, wideScale } from "./axes.ts";
import { line } from "./marks.ts";
import { distinct, distributionsOf, nameText, type Plan } from "./plan.ts";
import { SERIES_COLORS } from "./theme.ts";

const FEWEST_SAMPLES = 10;
/** Percentiles with fewer samples beyond them are drawn dashed. */
const SAMPLES_BEYOND = 10;
const ROLES = ["headline", "gate", "detail"];

/** The plan of a scenario's distributions, the headline first; `null` if all have too few samples. */
export function percentilesPlan(scenario: ScenarioReport): Plan | null {
  const all = distributionsIn(scenario).slice(0, SERIES_COLORS.length);
  if (all.length === 0) return null;
  const names = distinct(all.map(({ name }) => nameText(name)));
  return plan(`Percentiles of ${names.join(", ")}`, names, all);
}

/** The plan of each scenario's headline or gate distribution; `null` for fewer than two. */
export function overviewPercentilesPlan(report: Report): Plan | null {
  const all = overviewCurves(report);
  if (all.length < 2) return null;
  const names = distinct(all.map(({ name }) => name));
  return plan("Percentiles by scenario", names, all.map(({ first }) => first));
}

/** The scenarios in that plan, as many as there are colours. */
export function overviewCurves({ scenarios }: Report): { first: Distribution; name: string }[] {
  return scenarios.flatMap((scenario) => {
    const first = distributionsIn(scenario)
      .find(({ role, added }) => role !== "detail" && added === undefined);
    return first === undefined ? [] : [{ first, name: nameText(scenario.title) }];
    // Scenarios that share a case share a curve.
  }).filter(({ first: { histogram } }, nth, all) =>
    all.findIndex((one) => one.first.histogram === histogram) === nth
  ).slice(0, SERIES_COLORS.length);
}

function distributionsIn(scenario: ScenarioReport): Distribution[] {
  return distributionsOf(scenario).filter(({ count }) => count >= FEWEST_SAMPLES)
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
}

/** `median 820 µs, p95 1.31 ms`: the highest percentile with enough samples. */
function spreadText({ p50, p95, p99, max }: Distribution): string {
  const tail = p99 !== null ? "p99" : p95 !== null ? "p95" : "max";
  return `median ${formatDuration(p50)}, ${tail} ${formatDuration(p99 ?? p95 ?? max)}`;
}

function plan(title: string, names: readonly string[], shown: readonly Distribution[]): Plan {
  const curves = shown.map(percentileCurve);
  const most = Math.max(...shown.map(({ count }) => count));
  return {
    title,
    alt: `${title}. ` +
      shown.map((metric, nth) => `${capitalise(names[nth]!)}: ${spreadText(metric)}`).join("; "),
    panels: [{
      caption: "Time; dashed: fewer than 10 samples beyond",
      x: {
        ...logScale([1, most]),
        min: 1,
        max: most,
        ticks: [1, 2, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7].filter((tick) => tick <= most),
        // 10 is 90 %, 1000 is 99.9 %.
        format: (x) => `${Number((100 * (1 - 1 / x)).toFixed(6))} %`,
        name: "Percentile",
      },
      y: timeAxis(wideScale(curves.flat().map(([, ns]) => ns))),
      height: 220,
      series: shown.flatMap(({ count }, nth) => {
        const [curve, color] = [curves[nth]!, SERIES_COLORS[nth]!];
        const sure = curve.filter(([x]) => x <= count / SAMPLES_BEYOND);
        const unsure = curve.slice(Math.max(0, sure.length - 1));
        return [
          line(names[nth]!, sure, { color }),
          line(names[nth]!, unsure, { color, dashed: true }),
        ];
      }),
    }],
  };
}
