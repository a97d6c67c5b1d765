/**
 * The first screen: outcome, trust sentence, four key numbers, what to look at, where the time of a
 * call goes, and a line for each scenario. For `ab`, the verdict of each gate comes first.
 *
 * @module
 */

import type { Metric, Report, ScenarioReport } from "../../schema.ts";
import { type Audience, type Block, type Card, code, type Content } from "../document.ts";
import { type Figure, figures, foreign, heading, joined } from "../document.ts";
import { left, list, mark, paragraph, right, type Section, type Segment } from "../document.ts";
import { prose, type Strip, strong, table } from "../document.ts";
import { findMetric, halfWidth, headlines, intervalText, isLayer } from "../quantities.ts";
import { isSamePlace, label, type Layer, type Measured, quantity } from "../quantities.ts";
import { capitalise, ranScenarios, sparkline, strip, words } from "../quantities.ts";
import { scenarioLink, trustOf } from "../trust.ts";
import { formatNumber, formatPercent, formatRatio, formatTimestamp } from "../units.ts";
import { attentionBlocks } from "./attention.ts";
import { changeWords, comparisonBlocks } from "./comparison.ts";
import { cardNumbers, isLoadPhase } from "./key_numbers.ts";
import { observedWords, runSpan, scenarioMark, splitWords } from "./verdict.ts";
import { tally, targetWords, verdictInline } from "./verdict.ts";

/** The first screen, which has no title. `figure` is that of the comparison in `ab`. */
export function firstScreen(report: Report, reader: Audience, figure?: Figure): Section {
  const split = splitWords(report);
  const advice = [...thresholds(report), ...attentionBlocks(report)];
  const numbers = report.ab === undefined
    ? [trustBlock(report), ...cards(report), ...advice, ...callTime(report)]
    : [...verdicts(report, figure), ...advice, heading("Results of B"), trustBlock(report)];
  return {
    id: "summary",
    title: "",
    level: 2,
    audience: ["page", "terminal", "summary"],
    blocks: [
      outcome(report),
      ...split === "" ? [] : [paragraph(split)],
      ...driftBlocks(report),
      ...numbers,
      ...scenarioLines(report),
      ...reader === "terminal" ? boxes(report) : [],
    ],
  };
}

function outcome(report: Report): Block {
  const span = report.scenarios.length === 0 ? "" : runSpan(report);
  const summary = [tally(report), span].filter((one) => one !== "").join(" in ");
  const words = prose`${strong(...verdictInline(report))} (${summary}). ${targetWords(report)},
    profile ${code(report.profile)}, ${foreign(formatTimestamp(report.startedAt))}.`;
  return paragraph(words, "lead");
}

const TONES = { good: "note", caution: "warning", bad: "failure" } as const;

/** The trust sentence. */
export function trustBlock(report: Report): Block {
  const { level, sentence } = trustOf(report);
  return paragraph(sentence, TONES[level]);
}

/** The warning that a server which slowed down has no single throughput. */
export function driftBlocks({ drift, ab }: Report): Block[] {
  // Two servers measured side by side still have a ratio.
  if (drift === undefined || ab !== undefined) return [];
  const { firstPerSecond, lastPerSecond, ratio } = drift;
  const seen = firstPerSecond === undefined || lastPerSecond === undefined
    ? `a call took ${formatRatio(ratio)} as long at the end as at the start`
    : `it served ${formatNumber(firstPerSecond)} calls/s at the start and ` +
      `${formatNumber(lastPerSecond)} at the end`;
  const what = strong("The server slowed down during the run");
  const words = prose`${what}: ${seen}, so no single number describes it. Restart it, or measure it
    at the same age each time: the same ${code("--epochs")} right after a restart.`;
  return [paragraph(words, "failure")];
}

function verdicts(report: Report, figure: Figure | undefined): Block[] {
  const { ab, comparison } = report;
  const effects = ab!.orderEffects.map(({ scenario, ratio, p }) =>
    prose`${foreign(scenario)} (${formatRatio(ratio)}, p = ${String(Number(p.toPrecision(2)))})`
  );
  return [
    ...comparison === undefined ? [] : comparisonBlocks(comparison),
    ...figures(figure),
    ...effects.length === 0 ? [] : [paragraph(
      prose`It mattered which server was measured first in ${joined(effects, ", ")}: the changes are
        means over both orders, but measuring one server affects the other.`,
      "warning",
    )],
    ...ab!.restarted ? [paragraph("Both servers were restarted for each epoch.")] : [],
  ];
}

function cards(report: Report): Block[] {
  const all = cardNumbers(report).map(({ title, measured }) => card(report, title, measured));
  return all.length === 0 ? [] : [{ kind: "cards", cards: all }];
}

function card(report: Report, title: Content, { scenario, metric }: Measured): Card {
  const value = quantity(metric);
  const width = halfWidth(metric);
  const tails = metric.kind === "scalar" ? [] : (["p95", "p99"] as const)
    .filter((figure) => metric[figure] !== null)
    .map((figure) => [`${figure} `, quantity(metric, figure)]);
  const speedup = findMetric(report, "speedup", "concurrent-connections");
  const sign = scenarioMark(scenario);
  return {
    title,
    value,
    mark: sign === "passed" ? null : sign,
    lines: [
      width === null ? "" : `± ${formatPercent(width)} (${intervalText(value, false)})`,
      changeWords(report, scenario.name, metric),
      joined(tails, ", "),
      speedup?.scenario.metrics.includes(metric)
        ? prose`${quantity(speedup.metric)} the rate of one`
        : "",
    ],
    plots: [strip(metric), sparkline(metric)].filter((plot) => plot !== null),
  };
}

function thresholds({ thresholds = [] }: Report): Block[] {
  return thresholds.length === 0 ? [] : [
    heading("Thresholds"),
    list(thresholds.map((one) => [
      mark(one.passed ? "passed" : one.observed === null ? "skipped" : "failed"),
      ...prose` ${code(one.expression)}: ${observedWords(one)}`,
    ])),
  ];
}

/** The layer of a metric, in words. */
export const layerName = ({ at }: Metric) => foreign(words(String(at?.layer ?? "")));

/** The layers of a call, from the innermost one. */
export const layersOf = ({ metrics }: ScenarioReport): Layer[] => metrics.filter(isLayer);

/** How far the sum of the layers' shares can be from 1. */
const MOST_UNEXPLAINED = 0.1;

function callTime(report: Report): Block[] {
  // JSON is part of the layers on the server, unless it is above dispatch, as in earlier versions.
  const layers = ranScenarios(report).flatMap(layersOf)
    .filter(({ at, added }) => at?.layer !== "codec" || added.above !== null);
  const segments = layers.map((one): Segment => ({
    label: layerName(one),
    // Not its time: the layers' times are separate means, which can contradict the shares.
    share: one.added.share ?? 0,
  }));
  const whole = segments.reduce((sum, { share }) => sum + share, 0);
  const isWhole = Math.abs(whole - 1) <= MOST_UNEXPLAINED &&
    layers.every(({ added }) => added.value >= 0 && (added.share ?? 0) >= 0);
  return !isWhole ? [] : [
    heading("Where the time of a call goes"),
    { kind: "bar", label: "Layers of a call", segments },
  ];
}

/** The first metric at a headline's place that is `wanted`, the headline itself before others. */
function besideOf(
  { metrics }: ScenarioReport,
  headline: Metric,
  wanted: (metric: Metric) => boolean,
): Metric | undefined {
  return [headline, ...metrics.filter((one) => isSamePlace(one, headline))].find(wanted);
}

function scenarioLines(report: Report): Block[] {
  if (report.scenarios.length === 0) return [];
  const columns = [
    ...[left(""), left("Scenario"), left("Result", 2)],
    ...[right("Throughput", 1), left("Epochs", 4)],
  ];
  const rows = report.scenarios.map((scenario) => scenarioLine(report, scenario));
  return [table("Scenarios", columns, rows)];
}

const isRate = ({ unit }: Metric) => unit === "msg/s";
/** Times of the server: `slip` is the client's. */
const isTimes = ({ kind, role, name }: Metric) =>
  kind === "distribution" && name !== "slip" && (role !== "detail" || name === "latency");

function scenarioLine(report: Report, scenario: ScenarioReport): Content[] {
  const head = [mark(scenarioMark(scenario)), scenarioLink(report, scenario)];
  const [headline] = scenario.status === "skipped" ? [] : headlines(scenario);
  if (headline === undefined) {
    const [unmeasured] = scenario.status === "passed" ? scenario.notMeasured : [];
    const why = scenario.reason !== null
      ? foreign(scenario.reason)
      : unmeasured === undefined
      ? scenario.status
      : prose`${foreign(unmeasured.name)}: ${foreign(unmeasured.reason)}`;
    return [...head, why, "", ""];
  }
  const rate = besideOf(scenario, headline, isRate);
  const result = isRate(headline) ? besideOf(scenario, headline, isTimes) : headline;
  const width = halfWidth(headline);
  // Of the headline only, which the trust sentence covers.
  const shown = (one: Metric) =>
    one !== headline || width === null
      ? quantity(one)
      : prose`${quantity(one)} ± ${formatPercent(width)}`;
  return [
    ...head,
    result === undefined ? "" : prose`${foreign(label(result))} ${shown(result)}`,
    rate === undefined ? "" : shown(rate),
    sparkline(headline) ?? "",
  ];
}

/** Boxes of the scenarios' headline times, for terminals; pages have charts. */
function boxes(report: Report): Block[] {
  const found = ranScenarios(report).flatMap((scenario) => {
    const [headline] = headlines(scenario);
    const times = headline && besideOf(scenario, headline, isTimes);
    const box = times === undefined || isLayer(times) ? null : strip(times);
    return box === null ? [] : [{ name: scenario.name, what: label(times!), strip: box }];
  });
  return found.length === 0 || isLoadPhase(report) || report.ab !== undefined
    ? []
    : [{ kind: "boxes", label: `${capitalise(boxEnds(found))}; logarithmic scale`, boxes: found }];
}

/** `establish and latency, from p5 to p99; soak, from p5 to p95` */
function boxEnds(boxes: readonly { name: string; what: string; strip: Strip }[]): string {
  const names = new Intl.ListFormat("en-GB");
  const groups = [...Map.groupBy(boxes, ({ strip }) => strip.ends)];
  return groups.toSorted(([, a], [, b]) => b.length - a.length).map(([ends, boxes], nth) => {
    const shown = nth > 0 ? boxes.map(({ name }) => name) : new Set(boxes.map(({ what }) => what));
    return `${names.format(shown)}, from ${ends}`;
  }).join("; ");
}
