/**
 * `compare OLD… -- NEW…`: runs against earlier runs of the same workload.
 *
 * @module
 */

import { renderMarkdown } from "../report/render/markdown.ts";
import { renderTerminal } from "../report/render/terminal.ts";
import { buildComparison } from "../report/sections/mod.ts";
import { EXIT } from "../run/verdict.ts";
import { IncomparableError } from "../stats/comparability.ts";
import { compareReports } from "../stats/compare.ts";
import {
  type CommandContext,
  grammarOf,
  one,
  optionsIn,
  type Outcome,
  parseSettings,
  readAll,
} from "./command_line.ts";
import { readBaselines } from "./files.ts";
import { optionsNamed, SETTINGS } from "./options.ts";
import { UsageError } from "./usage_error.ts";
import { parseName } from "./values.ts";

/** What it takes. */
export const COMPARE = grammarOf(
  `Usage: deno task compare OLD… -- NEW… [options]
       deno task compare OLD NEW [options]

Compares report.json files (or folders of them) of one workload. The noise between runs is learned from 4 or
more earlier runs; with fewer, changes are shown but not judged unless --noise states it.
Exit code 5: something became slower, or fails more often.`,
  [
    ...optionsNamed("noise", "band", "force"),
    ...optionsIn("  --format NAME  text (default) or md"),
    ...optionsNamed("no-color", "help"),
  ],
  { name: "OLD… -- NEW…" },
);

const { noisePercent, bandPercent, force } = SETTINGS;
const format = one("format", (given) => parseName(given, ["text", "md"]));

/**
 * Compares reports.
 *
 * @throws {UsageError} if a file cannot be read or the reports are not of the same workload
 */
export async function runCompare(
  args: readonly string[],
  { directory, color, width }: CommandContext,
): Promise<Outcome> {
  const { settings, files } = parseSettings(args, {}, COMPARE);
  const place = { directory, env: {}, vocabulary: {} };
  const [olds, news] = await Promise.all(
    sidesOf(args, files).map((paths) =>
      readBaselines(paths.map((text) => ({ source: "the argument", text })), place)
    ),
  );
  const options = await readAll({ noisePercent, bandPercent, force, format }, settings, place);
  const style = { color: color && !settings.has("no-color"), width };
  try {
    const comparisons = news!.map((now) => compareReports(olds!, now, options));
    const texts = comparisons.map(buildComparison).map((document) =>
      options.format === "md"
        ? renderMarkdown(document, { chartPath: () => null })
        : renderTerminal(document, style)
    );
    const isSlower = comparisons.some(({ regressions }) => regressions.length > 0);
    return { text: `${texts.join("\n\n")}\n`, exitCode: isSlower ? EXIT.regression : EXIT.passed };
  } catch (error) {
    if (!(error instanceof IncomparableError)) throw error;
    throw new UsageError(`${error.message}\nUse --force to compare them all the same`);
  }
}

/** What stands before `--` is old, what stands after it new; of two files without one, the second is new. */
function sidesOf(args: readonly string[], files: readonly string[]): [string[], string[]] {
  const place = args.indexOf("--");
  const isFile = (arg: string) => files.includes(arg);
  const [olds, news] = place < 0
    ? [files.slice(0, 1), files.slice(1)]
    : [args.slice(0, place).filter(isFile), args.slice(place).filter(isFile)];
  if (olds.length > 0 && news.length > 0 && (place >= 0 || files.length === 2)) return [olds, news];
  const count = `${files.length} file${files.length === 1 ? "" : "s"}`;
  throw new UsageError(
    `Cannot compare ${count}: needed are OLD and NEW, or several with -- between the earlier and the ` +
      "new ones, see --help",
  );
}
