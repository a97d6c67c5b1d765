/**
 * The commands that work on reports already written: `compare A B` and `report FILE`.
 *
 * @module
 */

import { dirname } from "node:path";
import type { Comparison, Report } from "../schema.ts";
import { escapeTerminal } from "../report/escape.ts";
import { renderComparison } from "../report/markdown/comparison.ts";
import { comparisonLines } from "../report/terminal/comparison.ts";
import { REPORT_FORMATS, writeReports } from "../report/write.ts";
import { EXIT } from "../run/verdict.ts";
import { compareReports } from "../stats/compare.ts";
import { IncomparableError } from "../stats/comparability.ts";
import type { CommandContext, Outcome } from "./commands.ts";
import { readPagePath, readReport } from "./files.ts";
import { type Grammar, parseSettings } from "./parse.ts";
import { resolvePath } from "./paths.ts";
import { UsageError } from "./usage_error.ts";
import { parseName, parseNames, parseNumber } from "./values.ts";

const COMPARE: Grammar = {
  positionals: ["OLD", "NEW"],
  options: new Map([
    ["noise", { name: "noise", kind: "value", value: "PERCENT", help: "" }],
    ["force", { name: "force", kind: "flag", value: "", help: "" }],
    ["format", { name: "format", kind: "value", value: "NAME", help: "" }],
    ["no-color", { name: "no-color", kind: "flag", value: "", help: "" }],
    ["help", { name: "help", kind: "flag", value: "", help: "" }],
  ]),
};

const COMPARE_USAGE = `Usage: deno task compare OLD NEW [options]

Compares two report.json files of the same workload. Exit code 5: something has become slower.

  --noise PERCENT   changes within it do not count (default 3)
  --force           compare although workload or environment differ
  --format NAME     text (default) or md
  --no-color        plain text (also NO_COLOR)
`;

/**
 * Compares two reports.
 *
 * @throws {UsageError} if a file cannot be read or the reports are not of the same workload
 */
export async function runCompare(
  args: readonly string[],
  { directory, color, width }: CommandContext,
): Promise<Outcome> {
  if (asksForHelp(args)) return { text: COMPARE_USAGE, exitCode: EXIT.passed };
  const { values, flags, positionals } = parseSettings(args, {}, COMPARE);
  const [older, newer] = await Promise.all(positionals.map((path) => readNamed(path, directory)));
  const noise = values.get("noise");
  const noisePercent = noise === undefined
    ? 3
    : parseNumber(noise, { min: 0, max: 100, unit: "per cent" });
  const format = values.get("format");
  const comparison = compare(older!, newer!, { noisePercent, force: flags.has("force") });
  const text = format !== undefined && parseName(format, ["text", "md"]) === "md"
    ? renderComparison(comparison)
    : comparisonLines(comparison, { color: color && !flags.has("no-color"), width }).join("\n");
  const exitCode = comparison.regressions.length === 0 ? EXIT.passed : EXIT.regression;
  return { text: `${text}\n`, exitCode };
}

function compare(
  older: Report,
  newer: Report,
  options: { noisePercent: number; force: boolean },
): Comparison {
  try {
    return compareReports(older, newer, options);
  } catch (error) {
    if (!(error instanceof IncomparableError)) throw error;
    throw new UsageError(`${error.message}\nUse --force to compare them all the same`);
  }
}

const REPORT: Grammar = {
  positionals: ["FILE"],
  options: new Map([
    ["out", { name: "out", kind: "value", value: "DIR", help: "" }],
    ["format", { name: "format", kind: "list", value: "A,B", help: "" }],
    ["inject", { name: "inject", kind: "value", value: "FILE", help: "" }],
    ["help", { name: "help", kind: "flag", value: "", help: "" }],
  ]),
};

const REPORT_USAGE = `Usage: deno task report FILE [options]

Writes the reports again from a report.json.

  --out DIR      default: the folder of FILE
  --format A,B   json, md, html, junit, github, benchmark (default: md,html)
  --inject FILE  fill a page of yours between <!-- bench:start --> and <!-- bench:end -->
`;

/**
 * Writes the reports of a report.json again.
 *
 * @throws {UsageError} if an option or the file cannot be used
 * @throws {ReportWriteError} if a report cannot be written
 */
export async function runReport(
  args: readonly string[],
  { directory }: CommandContext,
): Promise<Outcome> {
  if (asksForHelp(args)) return { text: REPORT_USAGE, exitCode: EXIT.passed };
  const { values, lists, positionals } = parseSettings(args, {}, REPORT);
  const path = positionals[0]!;
  const formats = lists.get("format");
  const page = await readPagePath(values.get("inject"), directory);
  const paths = await writeReports(await readNamed(path, directory), {
    directory: resolvePath(directory, values.get("out")?.text ?? dirname(path)),
    formats: formats === undefined ? ["md", "html"] : parseNames(formats, REPORT_FORMATS),
    page,
  });
  return { text: `Reports: ${paths.map(escapeTerminal).join(", ")}\n`, exitCode: EXIT.passed };
}

function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

async function readNamed(path: string, directory: string): Promise<Report> {
  return (await readReport({ source: "the argument", text: path }, directory))!;
}
