/**
 * Times by name (a tool, a phase, a layer): a row for each name, a dot for each metric.
 *
 * @module
 */

import type { Metric, ScenarioReport } from "../../schema.ts";
import { capitalise, headlines, mainValue } from "../quantities.ts";
import { formatDuration, formatQuantity } from "../units.ts";
import { rowAxis, timeAxis, wideScale } from "./axes.ts";
import { rowMarks, strokes } from "./marks.ts";
import { cut, nameText, type Plan } from "./plan.ts";
import { COLORS, SERIES_COLORS } from "./theme.ts";

const ROW_HEIGHT = 26;
/** Added for each further metric in a row. */
const DOT_HEIGHT = 11;
/** The part of a row's height that its dots take. */
const FILLED = 0.66;

interface Row {
  label: string;
  metrics: readonly Metric[];
}

/** The plan of a scenario with times at two or more names; `null` for others. */
export function categoriesPlan(scenario: ScenarioReport): Plan | null {
  const rows = rowsOf(scenario);
  if (rows.length === 0) return null;
  const names = [...new Set(rows.flatMap(({ metrics }) => metrics.map(({ name }) => name)))]
    .slice(0, SERIES_COLORS.length);
  const most = Math.max(...rows.map(({ metrics }) => metrics.length));
  const title = titleOf(scenario, rows);
  const scale = wideScale(
    rows.flatMap(({ metrics }) => metrics.flatMap((metric) => [mainValue(metric), tailOf(metric)])),
  );
  const between = rows.slice(1).map((_, row) =>
    [[scale.min, row + 0.5], [scale.max, row + 0.5]] as const
  );
  const medians = rows.flatMap(({ label, metrics }) =>
    metrics.map((metric) => {
      const name = names.length === 1 || nameText(metric.name) === label
        ? label
        : `${label} ${nameText(metric.name)}`;
      return `${name} ${formatDuration(mainValue(metric))}`;
    })
  );
  return {
    title,
    alt: `${title}. All medians: ${medians.join(", ")}`,
    panels: [{
      caption: "Median, and a line up to p99 or the maximum",
      x: timeAxis(scale, "Time"),
      y: rowAxis(rows.map(({ label }) => label), most > 1 ? "apart" : "lined"),
      height: rows.length * (ROW_HEIGHT + DOT_HEIGHT * (most - 1)),
      series: [
        ...most < 2 ? [] : [strokes("", between, { color: COLORS.grid, width: 1 })],
        ...rowMarks(
          rows.flatMap(({ metrics }, row) =>
            metrics.filter(({ name }) => names.includes(name)).map((metric, nth, { length }) => ({
              name: nameText(metric.name),
              color: SERIES_COLORS[names.indexOf(metric.name)]!,
              // The dots of a row are spread around its middle.
              row: row + (length < 2 ? 0 : FILLED * (nth / (length - 1) - 0.5)),
              dot: mainValue(metric),
              stroke: [mainValue(metric), tailOf(metric)] as const,
            }))
          ),
        ),
      ],
    }],
  };
}

/** Times measured at no name, then those at each name; empty for fewer than two names. */
function rowsOf(scenario: ScenarioReport): Row[] {
  const named = Map.groupBy(scenario.metrics.filter(({ unit }) => unit === "ns"), nameIn);
  // Other times of a layered call are not comparable with its layers.
  const isLayered = scenario.metrics.some((one) => one.kind === "distribution" && one.added);
  const without = isLayered ? [] : named.get("") ?? [];
  named.delete("");
  if (named.size < 2) return [];
  return [
    ...without.map((metric) => ({ label: nameText(metric.name), metrics: [metric] })),
    ...[...named].map(([name, metrics]) => ({ label: cut(nameText(name), 20), metrics })),
  ];
}

function nameIn({ at }: Metric): string {
  return Object.values(at ?? {}).find((value) => typeof value === "string") ?? "";
}

function tailOf(metric: Metric): number {
  return metric.kind === "scalar" ? metric.value : metric.p99 ?? metric.max;
}

/** The largest value of a headline that is not a time; else the range of the medians. */
function titleOf(scenario: ScenarioReport, rows: readonly Row[]): string {
  const [headline] = headlines(scenario);
  if (headline !== undefined && headline.unit !== "ns" && nameIn(headline) !== "") {
    const most = scenario.metrics.filter(({ name }) => name === headline.name)
      .reduce((a, b) => mainValue(b) > mainValue(a) ? b : a);
    const place = nameText(nameIn(most));
    return `${capitalise(nameText(most.name))}: ${
      formatQuantity(mainValue(most), most.unit)
    } (${place})`;
  }
  const medians = rows.map(({ label, metrics }) => ({ label, ns: mainValue(metrics[0]!) }))
    .sort((a, b) => a.ns - b.ns);
  const [first, last] = [medians[0]!, medians.at(-1)!]
    .map(({ label, ns }) => `${formatDuration(ns)} (${label})`);
  return `Medians from ${first} to ${last}`;
}
