/**
 * The summary at the end of a run, for a terminal: verdict, one line for each scenario, what is wrong.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";
import { escapeTerminal } from "./escape.ts";
import { type Finding, findings } from "./findings.ts";
import { layerParts, layerSentence } from "./layers.ts";
import { pyramidRatio } from "./pyramid.ts";
import { faultInsights } from "./insights/faults.ts";
import { scenarioTally, verdictWord } from "./marks.ts";
import { runDuration, targetKind } from "./run_facts.ts";
import { SCENARIO_HEADINGS, scenarioCells } from "./scenario_cells.ts";
import { scenarioTitle } from "./scenario_names.ts";
import { boxLines } from "./terminal/boxes.ts";
import { heavyLines } from "./terminal/heavy.ts";
import { comparisonLines } from "./terminal/comparison.ts";
import { sweepLines } from "./terminal/sweeps.ts";
import { SHARD_HEADINGS, shardRows } from "./shard_rows.ts";
import { columns, paint, type Style, wrap } from "./terminal/text.ts";
import { DASH, formatCounted, formatDuration } from "./units.ts";

export interface TerminalOptions {
  /** Whether to use ANSI colours; without them the text has no escape sequence at all. */
  color: boolean;
  /** The columns of the terminal; less than 40 is taken as 40. */
  width: number;
}

const MINIMUM_WIDTH = 40;
/** Names are cut here, so that the first numbers fit beside them. */
const NAME_CHARACTERS = 28;

/** The summary, ending with a line break. */
export function renderTerminalSummary(report: Report, options: TerminalOptions): string {
  const width = Math.max(MINIMUM_WIDTH, options.width);
  const lines = [
    ...head(report, options.color, width),
    "",
    ...scenarioTable(report.scenarios, options.color, width),
    ...boxes(report, { color: options.color, width }),
    ...layers(report, width),
    ...sweepLines(report, { color: options.color, width }),
    ...faultLines(report, width),
    ...heavyLines(report, { color: options.color, width }),
    ...shardTable(report, options.color, width),
    ...comparison(report, { color: options.color, width }),
    ...allFindingLines(report, options.color, width),
  ];
  return lines.join("\n").trimEnd() + "\n";
}

/** More notes than this are left to the reports, which have them all; of what is wrong nothing is left out. */
const MOST_NOTES = 6;

function allFindingLines(report: Report, color: boolean, width: number): string[] {
  const all = findings(report);
  const notes = all.filter(({ level }) => level === "note");
  const left = notes.slice(MOST_NOTES);
  const lines = all.filter((finding) => !left.includes(finding))
    .flatMap((finding) => findingLines(finding, color, width));
  if (left.length === 0) return lines;
  const more = `and ${formatCounted(left.length, "note")} more in the reports`;
  return [...lines, paint(" ".repeat(8) + more, "dim", color)];
}

/** Where the time of a call goes, and what kinds of tests that makes comparable. */
function layers(report: Report, width: number): string[] {
  const whole = layerParts(report).at(-1)?.added.call;
  if (whole === undefined) return [];
  const ratio = pyramidRatio(report);
  const pyramid = ratio === null ? "" : `; unit : integration : end-to-end = ${ratio}`;
  const text = `A call of ${formatDuration(whole)}: ${layerSentence(report)}${pyramid}`;
  return [...wrap(escapeTerminal(text), width), ""];
}

function boxes(report: Report, options: TerminalOptions): string[] {
  const lines = boxLines(report.scenarios, options);
  return lines.length === 0 ? [] : [...lines, ""];
}

function comparison(report: Report, options: TerminalOptions): string[] {
  if (report.comparison === undefined) return [];
  return [...comparisonLines(report.comparison, options), ""];
}

/** What the scenarios found whose numbers the table has no columns for. */
function faultLines(report: Report, width: number): string[] {
  const lines = faultInsights(report).flatMap(({ text }) => wrap(escapeTerminal(text), width));
  return lines.length === 0 ? [] : [...lines, ""];
}

function head(report: Report, color: boolean, width: number): string[] {
  const style: Style = report.verdict.status === "passed" ? "green" : "red";
  const { url, tool, protocol } = report.target;
  const verdict = verdictWord(report);
  const outcome = `${scenarioTally(report)} in ${runDuration(report)}`;
  const target = `${targetKind(report)}: ${url}, protocol ${protocol}, tool ${tool}, ` +
    `profile ${report.profile}`;
  const [first, ...others] = wrap(outcome, width - verdict.length - 2);
  return [
    `${paint(verdict, style, color)}  ${first}`,
    ...others.map((line) => " ".repeat(verdict.length + 2) + line),
    ...wrap(escapeTerminal(target), width),
  ];
}

const STATUS_MARKS: Record<ScenarioReport["status"], { sign: string; style: Style }> = {
  passed: { sign: "✓", style: "green" },
  failed: { sign: "✗", style: "red" },
  skipped: { sign: DASH, style: "dim" },
  interrupted: { sign: "!", style: "yellow" },
};

/** One line for each scenario; the columns are in the order in which a narrow window keeps them. */
function scenarioTable(scenarios: ScenarioReport[], color: boolean, width: number): string[] {
  if (scenarios.length === 0) return [];
  const headings = ["", "", ...SCENARIO_HEADINGS];
  const [first, ...lines] = columns([headings, ...scenarios.map(scenarioRow)], {
    alignments: ["left", "left", "right"],
    width,
  });
  const painted = lines.map((line, index) => {
    const { sign, style } = STATUS_MARKS[scenarios[index].status];
    return paint(sign, style, color) + line.slice(sign.length);
  });
  return [paint(first, "dim", color), ...painted, ""];
}

/** One line for each part of a merged report. */
function shardTable(report: Report, color: boolean, width: number): string[] {
  if (report.merged === undefined) return [];
  const cells = [SHARD_HEADINGS, ...shardRows(report)].map((row) => row.map(escapeTerminal));
  const [first, ...lines] = columns(cells, { alignments: ["left", "left", "right"], width });
  return [paint(first, "dim", color), ...lines, ""];
}

function scenarioRow(scenario: ScenarioReport): string[] {
  return [
    STATUS_MARKS[scenario.status].sign,
    [...escapeTerminal(scenario.name)].slice(0, NAME_CHARACTERS).join(""),
    ...scenarioCells(scenario).map(escapeTerminal),
  ];
}

const LEVELS: Record<Finding["level"], { word: string; style: Style }> = {
  failure: { word: "PROBLEM", style: "red" },
  warning: { word: "WARNING", style: "yellow" },
  note: { word: "NOTE   ", style: "dim" },
};

function findingLines({ level, scenario, text }: Finding, color: boolean, width: number): string[] {
  const { word, style } = LEVELS[level];
  const about = scenario === null ? "" : `${scenarioTitle(scenario)}: `;
  const [first, ...others] = wrap(escapeTerminal(about + text), width - word.length - 1);
  return [
    `${paint(word, style, color)} ${first}`,
    ...others.map((line) => " ".repeat(word.length + 1) + line),
  ];
}
