/**
 * The commands that measure no server: each prints its result and returns the exit code. Invalid
 * arguments and files throw a UsageError, other workloads an IncomparableError, failed writes a
 * ReportWriteError.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { renderMarkdown } from "../report/render/markdown.ts";
import { renderTerminal } from "../report/render/terminal.ts";
import { formatCounted } from "../report/units.ts";
import { buildComparison } from "../report/sections/mod.ts";
import { judgeReport } from "../run/judge_report.ts";
import { EXIT } from "../run/verdict.ts";
import type { Report } from "../schema.ts";
import { mergeReports } from "../split/merge.ts";
import { readShardSet, ShardSetError } from "../split/shard_set.ts";
import { findAllDifferences, IncomparableError } from "../stats/comparability.ts";
import { compareReports } from "../stats/compare.ts";
import type { ThresholdVocabulary } from "../stats/thresholds.ts";
import { grammarOf, one, optionsIn, parseSettings, type Place, readAll } from "./command_line.ts";
import { readBaselines, readReport, refuseOwnFile } from "./files.ts";
import { invocation } from "./invocation.ts";
import type { Program } from "./measure.ts";
import { formatsOr, optionsNamed, SETTINGS } from "./options.ts";
import { prepareOutput, writtenText } from "./report_folder.ts";
import { expecting, UsageError } from "./usage_error.ts";
import { parseName } from "./values.ts";
import { renderTerminalSummary, writeReports } from "./write_reports.ts";

const { formats, page, thresholds, baselines, noisePercent, bandPercent, force, strict } = SETTINGS;

type Printing = Pick<Program, "terminal">;

const argument = (text: string) => ({ source: "the argument", text });

export const COMPARE = grammarOf(
  `Usage: deno task compare OLD… -- NEW… [options]
       deno task compare OLD NEW [options]

Compares report.json files (or folders of them) of one workload. The noise between runs is learned
from 4 or more earlier runs; with fewer, changes are shown but only judged if --noise states it.
Exit code 5: something became slower, or fails more often.`,
  [
    ...optionsNamed("noise", "band", "force"),
    ...optionsIn("  --format NAME  text (default) or md"),
    ...optionsNamed("no-color", "help"),
  ],
  {
    command: "compare",
    name: "OLD… -- NEW…",
    meaning: "report.json files or folders of them",
  },
);

/** `compare`: compares runs with earlier runs of the same workload. */
export async function runCompare(
  args: readonly string[],
  place: Place,
  { terminal }: Printing,
): Promise<number> {
  const given = parseSettings(args, place.env, COMPARE);
  const { settings } = given;
  const sides = sidesOf(given);
  const olds = await readBaselines(sides.olds.map(argument), place);
  const news = await readBaselines(sides.news.map(argument), place);
  const format = one("format", (given) => parseName(given, ["text", "md"]));
  const options = await readAll({ noisePercent, bandPercent, force, format }, settings, place);
  const style = terminal.style(!settings.has("no-color"));
  const comparisons = news.map((now) => compareReports(olds, now, options));
  const texts = comparisons.map(buildComparison).map((document) =>
    options.format === "md"
      ? renderMarkdown(document, { chartPath: () => null })
      : renderTerminal(document, style)
  );
  const isSlower = comparisons.some(({ regressions }) => regressions.length > 0);
  terminal.print(`${texts.join("\n\n")}\n`);
  return isSlower ? EXIT.regression : EXIT.passed;
}

/** Files before `--` are old, files after it new; two files need no `--`. */
function sidesOf({ files, filesBefore }: ReturnType<typeof parseSettings>) {
  const count = filesBefore ?? (files.length === 2 ? 1 : 0);
  if (count > 0 && count < files.length) {
    return { olds: files.slice(0, count), news: files.slice(count) };
  }
  throw new UsageError(
    `Cannot compare ${formatCounted(files.length, "file")}: accepted are OLD and NEW, or several ` +
      "with -- between the old and the new ones, see --help",
  );
}

export const MERGE = grammarOf(
  `Usage: deno task merge FILES --out DIR [options]

Merges the report.json files of all shards of a run into one report, as if from a single client.`,
  [
    ...optionsIn("  --out DIR  where the merged reports go"),
    ...optionsNamed("format", "inject", "threshold", "baseline", "noise", "band", "force"),
    ...optionsNamed("strict", "no-color", "help"),
  ],
  { command: "merge", name: "FILES", meaning: "the report.json of each shard" },
);

/** `merge`: merges the reports of all shards of a run. */
export async function runMerge(
  args: readonly string[],
  place: Place,
  { terminal }: Printing,
): Promise<number> {
  const { settings, files } = parseSettings(args, place.env, MERGE);
  const out = settings.get("out")?.at(-1);
  if (out === undefined) {
    throw new UsageError("Cannot merge without --out DIR: accepted is a folder for the reports");
  }
  const shards = await Promise.all(files.map(async (file) => ({
    file,
    report: await readReport(argument(file), place),
  })));
  const write = await readAll({ formats, page }, settings, place);
  const merged = expecting(ShardSetError, () => {
    const { parts, count } = readShardSet(shards);
    return mergeReports(parts, { of: "shards", command: [...invocation("merge"), ...args], count });
  });
  const judge = { thresholds, baselines, noisePercent, bandPercent, force, strict };
  const options = await readAll(judge, settings, { ...place, vocabulary: vocabularyOf(merged) });
  const differences = options.force ? [] : findAllDifferences(options.baselines, merged);
  if (differences.length > 0) throw new IncomparableError(differences);
  const report = judgeReport(merged, options);
  const outDirectory = resolve(place.directory, out.text);
  await prepareOutput(outDirectory);
  await refuseOwnFile(write.page, outDirectory);
  const paths = await writeReports(report, { ...write, directory: outDirectory });
  terminal.print(renderTerminalSummary(report, terminal.style(!settings.has("no-color"))));
  terminal.print(writtenText({ paths, kept: null }));
  return report.verdict.exitCode;
}

/** The scenarios and metrics of a report, which thresholds can name. */
function vocabularyOf({ scenarios }: Report): ThresholdVocabulary {
  return Object.fromEntries(scenarios.map(({ name, metrics }) => [
    name,
    Object.fromEntries(metrics.map(({ name, kind, unit }) => [name, { kind, unit }])),
  ]));
}

export const REPORT = grammarOf(
  `Usage: deno task report FILE [options]

Renders the reports again from a report.json.`,
  [
    ...optionsIn(`  --out DIR  default: the folder of FILE
  --format A,B  json, md, html, junit, github, benchmark (default: md,html)`),
    ...optionsNamed("inject", "help"),
  ],
  { command: "report", name: "FILE", meaning: "a report.json", isOne: true },
);

/** `report`: renders the reports again from a report.json. */
export async function runReport(
  args: readonly string[],
  place: Place,
  { terminal }: Printing,
): Promise<number> {
  const { settings, files: [file = ""] } = parseSettings(args, place.env, REPORT);
  const readers = { formats: formatsOr("md", "html"), page };
  const write = await readAll(readers, settings, place);
  const out = settings.get("out")?.at(-1);
  const outDirectory = resolve(place.directory, out?.text ?? dirname(file));
  if (out !== undefined) await prepareOutput(outDirectory);
  await refuseOwnFile(write.page, outDirectory);
  const report = await readReport(argument(file), place);
  const paths = await writeReports(report, { ...write, directory: outDirectory });
  terminal.print(writtenText({ paths, kept: null }).trimStart());
  return EXIT.passed;
}

export const CALIBRATE = grammarOf(
  `Usage: deno task calibrate

Measures what the suite itself costs: each step of a call, and its loop against a bare one. Takes up
to a minute.`,
  optionsNamed("help"),
);

/** `calibrate`: measures what the suite itself costs. */
export async function runCalibrate(
  args: readonly string[],
  { env }: Place,
  { terminal }: Printing,
): Promise<number> {
  parseSettings(args, env, CALIBRATE);
  // Loaded here, as no other command needs it.
  const { renderCalibration, runCalibration } = await import("../calibrate/calibrate.ts");
  terminal.print(`${renderCalibration(await runCalibration())}\n`);
  return EXIT.passed;
}
