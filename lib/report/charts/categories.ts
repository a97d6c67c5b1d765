/**
 * Times by something that has names rather than numbers: a tool, a phase, a place, a layer. A row for each, a dot
 * for each metric, all on one axis.
 *
 * @module
 */

import type { Metric, ScenarioReport } from "../../schema.ts";
import { capitalise, figureValue, headlines, mainFigure } from "../quantities.ts";
import { formatDuration, formatQuantity } from "../units.ts";
import { rowAxis, timeAxis, wideScale } from "./axes.ts";
import { rowMarks, strokes } from "./marks.ts";
import { cut, nameText, type Plan } from "./plan.ts";
import { COLORS, SERIES_COLORS } from "./theme.ts";

const ROW_HEIGHT = 26;
/** For each further metric in a row. */
const DOT_HEIGHT = 11;
/** How much of a row its dots take. */
const FILLED = 0.66;

interface Row {
  label: string;
  metrics: readonly Metric[];
}

/** The plan of a scenario that has times at two names or more; `null` otherwise. */
export function categoriesPlan(scenario: ScenarioReport): Plan | null {
  const rows = rowsOf(scenario);
  if (rows.length === 0) return null;
  const names = [...new Set(rows.flatMap(({ metrics }) => metrics.map(({ name }) => name)))]
    .slice(0, SERIES_COLORS.length);
  const most = Math.max(...rows.map(({ metrics }) => metrics.length));
  const title = titleOf(scenario, rows);
  const scale = wideScale(
    rows.flatMap(({ metrics }) => metrics.flatMap((metric) => [valueOf(metric), tailOf(metric)])),
  );
  const between = rows.slice(1).map((_, row) =>
    [[scale.min, row + 0.5], [scale.max, row + 0.5]] as const
  );
  const medians = rows.flatMap(({ label, metrics }) =>
    metrics.map((metric) => `${label} ${nameText(metric.name)} ${formatDuration(valueOf(metric))}`)
  );
  return {
    title,
    alt: `${title}. Medians: ${medians.join(", ")}`,
    panels: [{
      caption: "Median, and a line up to the p99 or the slowest",
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
              // The dots of a row stand below each other, around its middle.
              row: row + (length < 2 ? 0 : FILLED * (nth / (length - 1) - 0.5)),
              dot: valueOf(metric),
              stroke: [valueOf(metric), tailOf(metric)] as const,
            }))
          ),
        ),
      ],
    }],
  };
}

/** Times at each name, after those that were measured at none; none where there are fewer than two names. */
function rowsOf(scenario: ScenarioReport): Row[] {
  const named = Map.groupBy(scenario.metrics.filter(({ unit }) => unit === "ns"), nameIn);
  // Parts of a call do not stand beside the layers that it is made of.
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

function valueOf(metric: Metric): number {
  return figureValue(metric, mainFigure(metric)) ?? NaN;
}

function tailOf(metric: Metric): number {
  return metric.kind === "scalar" ? metric.value : metric.p99 ?? metric.max;
}

/** What stands for the scenario where it is largest, if that is no time; else the range of the medians. */
function titleOf(scenario: ScenarioReport, rows: readonly Row[]): string {
  const [headline] = headlines(scenario).map(({ metric }) => metric);
  if (headline !== undefined && headline.unit !== "ns" && nameIn(headline) !== "") {
    const most = scenario.metrics.filter(({ name }) => name === headline.name)
      .reduce((a, b) => valueOf(b) > valueOf(a) ? b : a);
    const place = nameText(nameIn(most));
    return `${capitalise(nameText(most.name))}: ${
      formatQuantity(valueOf(most), most.unit)
    } (${place})`;
  }
  const medians = rows.map(({ label, metrics }) => ({ label, ns: valueOf(metrics[0]!) }))
    .sort((a, b) => a.ns - b.ns);
  const [first, last] = [medians[0]!, medians.at(-1)!]
    .map(({ label, ns }) => `${formatDuration(ns)} (${label})`);
  return `From ${first} to ${last}`;
}
