/**
 * `merge FILES`: the reports of all shards of a run as one.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { renderTerminalSummary, REPORT_FORMATS, writeReports } from "./write_reports.ts";
import { judgeReport } from "../run/judge_report.ts";
import { EXIT } from "../run/verdict.ts";
import { mergeReports } from "../split/merge.ts";
import { readShardSet, ShardSetError } from "../split/shard_set.ts";
import { findDifferences, IncomparableError } from "../stats/comparability.ts";
import { parseThreshold, ThresholdError, type ThresholdVocabulary } from "../stats/thresholds.ts";
import type { CommandContext, Outcome } from "./command.ts";
import { readBaselines, readPagePath, readReport, refuseOwnFile } from "./files.ts";
import { invocation } from "./invocation.ts";
import { OPTIONS } from "./options.ts";
import { asksForHelp, type Grammar, parseSettings, type RawSettings } from "./parse.ts";
import { prepareOutput, resolvePath } from "./paths.ts";
import { writtenText } from "./report_folder.ts";
import { UsageError } from "./usage_error.ts";
import { parseNames, parseNumber } from "./values.ts";

const MERGE: Grammar = {
  positionals: ["FILES"],
  variadic: true,
  options: new Map(
    [
      ...["out", "format", "inject", "threshold", "baseline", "noise", "band", "force", "strict"],
      ...["no-color", "help"],
    ].map((name) => [name, OPTIONS.get(name)!]),
  ),
};

const MERGE_USAGE = `Usage: deno task merge FILES --out DIR [options]

Merges the report.json files of all shards of a run into the report of one client.

  --out DIR               where the merged reports go
  --format A,B            json, md, html, junit, github, benchmark (default: json,md,html)
  --inject FILE           fill a page of yours between <!-- bench:start --> and <!-- bench:end -->
  --threshold 'M OP V'    a bound on the merged figures; repeatable
  --baseline FILE|DIR     compare with earlier report.json files; repeatable; --noise and --band PERCENT, --force
  --strict                an invalid or undecided result fails the run
  --no-color              plain text (also NO_COLOR)
`;

/**
 * Merges shards, writes the reports and returns their summary.
 *
 * @throws {UsageError} if a file cannot be used, or the files are not the shards of one run
 * @throws {ReportWriteError} if a report cannot be written
 */
export async function runMerge(
  args: readonly string[],
  { directory, color, width }: CommandContext,
): Promise<Outcome> {
  if (asksForHelp(args)) return { text: MERGE_USAGE, exitCode: EXIT.passed };
  const raw = parseSettings(args, {}, MERGE);
  const out = raw.values.get("out");
  if (out === undefined) {
    throw new UsageError("Cannot merge without --out DIR: accepted is a folder for the reports");
  }
  const formats = raw.lists.get("format");
  const files = await Promise.all(raw.positionals.map(async (file) => ({
    file,
    report: (await readReport({ source: "the argument", text: file }, directory))!,
  })));
  const page = await readPagePath(raw.values.get("inject"), directory);
  const outDirectory = resolvePath(directory, out.text);
  const report = await judge(merge(files, args), { raw, directory });
  await prepareOutput(outDirectory);
  await refuseOwnFile(page, outDirectory);
  const paths = await writeReports(report, {
    directory: outDirectory,
    formats: formats === undefined ? ["json", "md", "html"] : parseNames(formats, REPORT_FORMATS),
    page,
  });
  const summary = renderTerminalSummary(report, {
    color: color && !raw.flags.has("no-color"),
    width,
  });
  const text = summary + writtenText({ paths, kept: null });
  return { text, exitCode: report.verdict.exitCode };
}

function merge(
  files: readonly { file: string; report: Report }[],
  args: readonly string[],
): Report {
  try {
    const command = [...invocation("merge"), ...args];
    const { parts, count } = readShardSet(files);
    return mergeReports(parts, { of: "shards", command, count });
  } catch (error) {
    throw error instanceof ShardSetError ? new UsageError(error.message) : error;
  }
}

/** Holds the merged report against what the user gives for the whole run. */
async function judge(
  report: Report,
  { raw: { values, lists, flags }, directory }: { raw: RawSettings; directory: string },
): Promise<Report> {
  const percent = (name: string) => {
    const given = values.get(name);
    return given === undefined ? null : parseNumber(given, { min: 0, max: 100, unit: "per cent" });
  };
  const baselines = await readBaselines(lists.get("baseline"), directory);
  const force = flags.has("force");
  const differences = new Set(
    force ? [] : baselines.flatMap((baseline) => findDifferences(baseline, report)),
  );
  if (differences.size > 0) {
    const { message } = new IncomparableError([...differences]);
    throw new UsageError(`${message}\nUse --force to compare them all the same`);
  }
  const vocabulary = vocabularyOf(report);
  return judgeReport(report, {
    thresholds: (lists.get("threshold") ?? []).map(({ text }) => readThreshold(text, vocabulary)),
    baselines,
    noisePercent: percent("noise"),
    bandPercent: percent("band") ?? 3,
    force,
    strict: flags.has("strict"),
  });
}

/** What thresholds can name: what the report has. */
function vocabularyOf({ scenarios }: Report): ThresholdVocabulary {
  return Object.fromEntries(scenarios.map(({ name, metrics }) => [
    name,
    Object.fromEntries(metrics.map(({ name, kind, unit }) => [name, { kind, unit }])),
  ]));
}

function readThreshold(text: string, vocabulary: ThresholdVocabulary) {
  try {
    return parseThreshold(text, vocabulary);
  } catch (error) {
    throw error instanceof ThresholdError ? new UsageError(error.message) : error;
  }
}
