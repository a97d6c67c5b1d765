/**
 * `merge FILES`: the reports of all shards of a run as one.
 *
 * @module
 */

import { resolve } from "node:path";
import type { Report } from "../schema.ts";
import { judgeReport } from "../run/judge_report.ts";
import { mergeReports } from "../split/merge.ts";
import { readShardSet, ShardSetError } from "../split/shard_set.ts";
import { findDifferences, IncomparableError } from "../stats/comparability.ts";
import type { ThresholdVocabulary } from "../stats/thresholds.ts";
import {
  type CommandContext,
  grammarOf,
  optionsIn,
  type Outcome,
  parseSettings,
  readAll,
} from "./command_line.ts";
import { readReport, refuseOwnFile } from "./files.ts";
import { invocation } from "./invocation.ts";
import { optionsNamed, SETTINGS } from "./options.ts";
import { prepareOutput, writtenText } from "./report_folder.ts";
import { UsageError } from "./usage_error.ts";
import { renderTerminalSummary, writeReports } from "./write_reports.ts";

/** What it takes. */
export const MERGE = grammarOf(
  `Usage: deno task merge FILES --out DIR [options]

Merges the report.json files of all shards of a run into the report of one client.`,
  [
    ...optionsIn("  --out DIR  where the merged reports go"),
    ...optionsNamed("format", "inject", "threshold", "baseline", "noise", "band", "force"),
    ...optionsNamed("strict", "no-color", "help"),
  ],
  { name: "FILES" },
);

const { formats, page, thresholds, baselines, noisePercent, bandPercent, force, strict } = SETTINGS;

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
  const { settings, files } = parseSettings(args, {}, MERGE);
  const out = settings.get("out")?.at(-1);
  if (out === undefined) {
    throw new UsageError("Cannot merge without --out DIR: accepted is a folder for the reports");
  }
  const place = { directory, env: {}, vocabulary: {} };
  const shards = await Promise.all(files.map(async (file) => ({
    file,
    report: await readReport({ source: "the argument", text: file }, place),
  })));
  const write = await readAll({ formats, page }, settings, place);
  const merged = merge(shards, args);
  const judge = { thresholds, baselines, noisePercent, bandPercent, force, strict };
  const vocabulary = vocabularyOf(merged);
  const options = await readAll(judge, settings, { ...place, vocabulary });
  refuseIncomparable(merged, options);
  const report = judgeReport(merged, options);
  const outDirectory = resolve(directory, out.text);
  await prepareOutput(outDirectory);
  await refuseOwnFile(write.page, outDirectory);
  const paths = await writeReports(report, { ...write, directory: outDirectory });
  const style = { color: color && !settings.has("no-color"), width };
  const text = renderTerminalSummary(report, style) + writtenText({ paths, kept: null });
  return { text, exitCode: report.verdict.exitCode };
}

function merge(shards: readonly { file: string; report: Report }[], args: readonly string[]) {
  try {
    const { parts, count } = readShardSet(shards);
    return mergeReports(parts, { of: "shards", command: [...invocation("merge"), ...args], count });
  } catch (error) {
    throw error instanceof ShardSetError ? new UsageError(error.message) : error;
  }
}

function refuseIncomparable(
  report: Report,
  { baselines, force }: { baselines: readonly Report[]; force: boolean },
): void {
  if (force) return;
  const differences = new Set(baselines.flatMap((baseline) => findDifferences(baseline, report)));
  if (differences.size === 0) return;
  const { message } = new IncomparableError([...differences]);
  throw new UsageError(`${message}\nUse --force to compare them all the same`);
}

/** What thresholds can name: what the report has. */
function vocabularyOf({ scenarios }: Report): ThresholdVocabulary {
  return Object.fromEntries(scenarios.map(({ name, metrics }) => [
    name,
    Object.fromEntries(metrics.map(({ name, kind, unit }) => [name, { kind, unit }])),
  ]));
}
