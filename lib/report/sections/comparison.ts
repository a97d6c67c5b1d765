/**
 * The changes since earlier runs, or from A to B.
 *
 * @module
 */

import type { Change, Comparison, ComparisonRow, Metric, Report } from "../../schema.ts";
import { type Block, type Content, type Figure, figures, fold, foreign } from "../document.ts";
import { type Inline, joined, left, list, mark, type MarkName } from "../document.ts";
import { paragraph, prose, right, type Section, sectionFor, table } from "../document.ts";
import { isSamePlace, placeOf, verdictCounts, words } from "../quantities.ts";
import { formatCount, formatCounted, formatPercent, formatQuantity } from "../units.ts";
import { isKnown, scaleOf } from "../units.ts";

const VERDICT_MARKS = {
  slower: "failed",
  undecided: "open",
  faster: "passed",
  same: "passed",
} as const satisfies Record<Change, MarkName>;
const VERDICTS = Object.keys(VERDICT_MARKS) as Change[];

/** Why there is no verdict, by the kinds the suite knows; other kinds are shown as they are. */
const REASONS = new Map(Object.entries({
  noise: "too noisy to decide",
  tooFewEpochs: "too few epochs",
  tooFewSamples: "too few samples",
  vanished: "no longer measured",
  notInBaselines: "not measured before",
  notPositive: "a value is zero",
  noAnswer: "too many calls had no answer",
  drift: "the server slowed down during a run",
}));

const AGED = "The server slowed down during a run, so a later run finds it slower whatever has " +
  "changed. Restart it before each run.";

/** The section of a comparison. */
export function comparisonSection(comparison: Comparison, figure?: Figure): Section {
  const blocks = [...comparisonBlocks(comparison), ...figures(figure)];
  return sectionFor(["page", "terminal", "summary"], "comparison", "Comparison", ...blocks);
}

/** The conclusion and its rows, the gates first. */
export function comparisonBlocks(comparison: Comparison): Block[] {
  const { rows: given, newErrors, onlyInOld, onlyInNew, noise, automatic } = comparison;
  const isPaired = noise === "paired";
  const open = given.filter(({ verdict }) => verdict === "undecided");
  // If all of them have too few epochs, the conclusion says so.
  const areFew = isPaired && open.some(({ gating }) => gating) &&
    open.every(({ why, need }) => why === "tooFewEpochs" && need !== null);
  const rows = areFew ? given.map((row) => ({ ...row, why: null, need: null })) : given;
  const isEmpty = isPaired && rows.every(({ epochs = [] }) => epochs.length === 0);
  const deciding = rows.filter(({ gating }) => gating);
  // Without gates, every change is shown; of a comparison nobody asked for, only what is decided.
  const shown = automatic
    ? rows.filter(({ verdict }) => verdict === "slower" || verdict === "faster")
    : deciding.length > 0
    ? deciding
    : rows;
  const others = rows.filter((row) => !shown.includes(row));
  const errors = newErrors.map(({ scenario, kind, ...count }) => {
    const [old, now] = [formatCount(count.old), formatCount(count.new)];
    const counts = isPaired ? `${now} of B's, ${old} of A's` : `${old} before, ${now} now`;
    return prose`${mark("failed")} ${foreign(scenario)}: more calls ended as ${foreign(kind)}:
      ${counts}`;
  });
  const missing = [
    [isPaired ? "Measured on A only" : "No longer measured", onlyInOld],
    [isPaired ? "Measured on B only" : "Measured for the first time", onlyInNew],
  ] as const;
  return [
    ...isEmpty ? [] : [paragraph(conclusion(comparison))],
    ...rows.some(({ why }) => why === "drift") ? [paragraph(AGED)] : [],
    ...errors.length === 0 ? [] : [list(errors)],
    ...rowsTable(deciding.length > 0 ? "Deciding changes" : "Changes", shown, isPaired),
    ...others.length === 0 ? [] : [fold(
      `${formatCounted(others.length, shown.length > 0 ? "further row" : "row")}, ${
        automatic ? "the same or undecided" : "not deciding"
      }`,
      rowsTable("Further changes", others, isPaired),
    )],
    ...missing.filter(([, names]) => names.length > 0).map(([what, names]) =>
      paragraph(prose`${what}: ${joined(names.map(foreign), ", ")}.`)
    ),
  ];
}

function conclusion(comparison: Comparison): string {
  const { rows, noise, noisePercent, bandPercent, baselines, automatic } = comparison;
  const shownOnly = " This comparison never fails a run; use --baseline for one that can.";
  if (automatic && noise === "unknown") {
    const runs = baselines === 1 ? "run" : `${baselines} runs`;
    return `Against the last ${runs} of the same workload. Changes are shown but not judged until ` +
      `there are 4 runs to learn the noise between runs from.${shownOnly}`;
  }
  const gating = rows.filter(({ gating }) => gating || automatic);
  const counts = verdictCounts(gating, VERDICTS);
  const open = gating.filter(({ verdict }) => verdict === "undecided");
  const needs = open.flatMap(({ need }) => need ?? []);
  const which = needs.length === open.length ? "what is undecided" : `${needs.length} of them`;
  const more = noise !== "paired" || needs.length === 0
    ? ""
    : ` ${formatCount(Math.max(...needs))} epochs in all would decide ${which} (--epochs).`;
  const epochs = Math.max(0, ...rows.map(({ epochs = [] }) => epochs.length));
  const runs = noise === "paired" || baselines === 0
    ? ""
    : ` against ${formatCounted(baselines, "earlier run")}`;
  const known = {
    learned: "the noise between runs is learned from them",
    stated: `the noise between runs is stated as ${noisePercent} %`,
    unknown: "the noise between runs is not known (give at least 4 earlier runs, or --noise)",
    paired: `both servers were measured in the same ${formatCounted(epochs, "epoch")}`,
  }[noise];
  const sides = noise === "paired" ? "B against A: " : "";
  return `${sides}${counts || "Nothing is decided"}${runs}; ${known}. ` +
    `Changes within ${bandPercent} % do not matter.${more}${automatic ? shownOnly : ""}`;
}

function rowsTable(caption: string, rows: readonly ComparisonRow[], isPaired: boolean): Block[] {
  if (rows.length === 0) return [];
  const sides = isPaired ? ["A", "B"] : ["Before", "Now"];
  const sorted = rows.toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
  const columns = [
    ...[left(""), left("Metric"), ...sides.map((side) => right(side, 2)), right("Change")],
    ...[right("Interval", 3), left("Verdict", 1), left("", 4)],
  ];
  return [table(
    caption,
    columns,
    sorted.map((row) => {
      const scale = scaleOf(row.new ?? row.old, row.unit);
      return [
        mark(VERDICT_MARKS[row.verdict]),
        prose`${foreign(row.scenario)} ${rowName(row)}`,
        ...[row.old, row.new].map((value) => formatQuantity(value, row.unit, scale)),
        changePercent(row.ratio),
        row.ci?.map(changePercent).join(" to ") ?? "",
        ...[row.verdict, noteCell(row, isPaired)],
      ];
    }),
  )];
}

function rowName({ metric, at, statistic }: ComparisonRow): Inline[] {
  const place = placeOf(at);
  const figure = statistic === "value" ? "" : ` ${statistic === "p50" ? "median" : statistic}`;
  return prose`${foreign(words(metric))}${figure}${place.length === 0 ? "" : prose` (${place})`}`;
}

/** `+17.1 %`. */
function changePercent(ratio: number | null): string {
  if (!isKnown(ratio)) return "";
  const percent = ((ratio - 1) * 100).toFixed(1);
  return `${ratio > 1 ? "+" : ""}${percent} %`.replace("-", "\u2212");
}

/** Why there is no verdict and what would decide it, and the change of the server's own part. */
function noteCell(row: ComparisonRow, isPaired: boolean): Content {
  const { why, need, smallest, own, verdict } = row;
  // The conclusion above the rows says this.
  const isSaid = why === "tooFewBaselines";
  const because = why === null || isSaid || (why === "noise" && need !== null)
    ? ""
    : REASONS.get(why) ?? foreign(why);
  const notes: Content[] = verdict !== "undecided" ? [] : [
    because,
    need === null || isSaid
      ? ""
      : `${formatCount(need)} ${isPaired ? "epochs" : "more runs"} would decide`,
    smallest === null ? "" : `detects ${formatPercent(smallest - 1)} or more`,
  ];
  if (own !== undefined) {
    const interval = own.ci === null ? "" : ` (${own.ci.map(changePercent).join(" to ")})`;
    notes.push(`without the client's part ${changePercent(own.ratio)}${interval}`);
  }
  return joined(notes, "; ");
}

/** The change of a metric since the baseline, for its card; empty if it was not compared. */
export function changeWords({ comparison }: Report, scenario: string, metric: Metric): Content {
  const row = comparison?.rows.find((row) =>
    row.scenario === scenario && row.metric === metric.name &&
    row.statistic === (metric.kind === "scalar" ? "value" : "p50") &&
    isSamePlace(row, metric)
  );
  if (row === undefined || row.ratio === null) return "";
  const { automatic, baselines } = comparison!;
  const since = !automatic
    ? "since the baseline"
    : baselines === 1
    ? "since the last run"
    : `against ${baselines} runs`;
  const change = `${changePercent(row.ratio)} ${since}`;
  return row.verdict === "undecided"
    ? automatic ? change : `${change} (undecided)`
    : [mark(VERDICT_MARKS[row.verdict]), ` ${change} (${row.verdict})`];
}
