/**
 * `compare OLD… -- NEW…`: runs against earlier runs of the same workload.
 *
 * @module
 */

import { renderMarkdown } from "../report/render/markdown.ts";
import { renderTerminal } from "../report/render/terminal.ts";
import { buildComparison } from "../report/sections/mod.ts";
import { EXIT } from "../run/verdict.ts";
import type { Comparison, Report } from "../schema.ts";
import { IncomparableError } from "../stats/comparability.ts";
import { compareReports } from "../stats/compare.ts";
import type { CommandContext, Outcome } from "./command.ts";
import { readBaselines } from "./files.ts";
import { OPTIONS } from "./options.ts";
import { asksForHelp, type Grammar, parseSettings } from "./parse.ts";
import { UsageError } from "./usage_error.ts";
import { parseName, parseNumber } from "./values.ts";

const COMPARE: Grammar = {
  positionals: ["OLD… -- NEW…"],
  variadic: true,
  options: new Map([
    ...["noise", "band", "force", "no-color", "help"].map((name) =>
      [name, OPTIONS.get(name)!] as const
    ),
    ["format", { name: "format", kind: "value", value: "NAME", help: "" }],
  ]),
};

const USAGE = `Usage: deno task compare OLD… -- NEW… [options]
       deno task compare OLD NEW [options]

Compares report.json files (or folders of them) of one workload. With 4 or more earlier runs the noise between
runs is learned from them; with fewer the changes are shown, and decide nothing unless --noise states it.
Exit code 5: something has become slower, or fails more often.

  --noise PERCENT   the noise between runs
  --band PERCENT    changes smaller than this do not matter (default 3)
  --force           compare although workload or environment differ
  --format NAME     text (default) or md
  --no-color        plain text (also NO_COLOR)
`;

/**
 * Compares reports.
 *
 * @throws {UsageError} if a file cannot be read or the reports are not of the same workload
 */
export async function runCompare(
  args: readonly string[],
  { directory, color, width }: CommandContext,
): Promise<Outcome> {
  if (asksForHelp(args)) return { text: USAGE, exitCode: EXIT.passed };
  const { files, settings } = splitArguments(args);
  const { values, flags } = settings;
  const read = (paths: readonly string[]) =>
    readBaselines(paths.map((text) => ({ source: "the argument", text })), directory);
  const [olds, news] = [await read(files.old), await read(files.new)];
  const percent = (name: string) => {
    const given = values.get(name);
    return given === undefined ? null : parseNumber(given, { min: 0, max: 100, unit: "per cent" });
  };
  const options = {
    noisePercent: percent("noise"),
    bandPercent: percent("band") ?? 3,
    force: flags.has("force"),
  };
  const format = values.get("format");
  const style = { color: color && !flags.has("no-color"), width };
  const comparisons = news.map((now) => compare(olds, now, options));
  const asMarkdown = format !== undefined && parseName(format, ["text", "md"]) === "md";
  const texts = comparisons.map((comparison) => {
    const document = buildComparison(comparison);
    return asMarkdown
      ? renderMarkdown(document, { chartPath: () => null })
      : renderTerminal(document, style);
  });
  const slower = comparisons.some(({ regressions }) => regressions.length > 0);
  return { text: `${texts.join("\n\n")}\n`, exitCode: slower ? EXIT.regression : EXIT.passed };
}

/** What stands before `--` is old, what stands after it new; of two files without one, the second is new. */
function splitArguments(args: readonly string[]) {
  const place = args.indexOf("--");
  const before = place < 0 ? args : args.slice(0, place);
  const after = place < 0 ? [] : args.slice(place + 1);
  const settings = parseSettings(args, {}, COMPARE);
  const files = settings.positionals;
  const isFile = (arg: string) => files.includes(arg);
  const sides = place < 0
    ? { old: files.slice(0, 1), new: files.slice(1) }
    : { old: before.filter(isFile), new: after.filter(isFile) };
  if (sides.old.length > 0 && sides.new.length > 0 && (place >= 0 || files.length === 2)) {
    return { files: sides, settings };
  }
  throw new UsageError(
    `Cannot compare ${files.length} file${
      files.length === 1 ? "" : "s"
    }: needed are OLD and NEW, ` +
      "or several with -- between the earlier and the new ones, see --help",
  );
}

function compare(
  olds: readonly Report[],
  now: Report,
  options: { noisePercent: number | null; bandPercent: number; force: boolean },
): Comparison {
  try {
    return compareReports(olds, now, options);
  } catch (error) {
    if (!(error instanceof IncomparableError)) throw error;
    throw new UsageError(`${error.message}\nUse --force to compare them all the same`);
  }
}
