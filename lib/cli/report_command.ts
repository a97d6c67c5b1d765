/**
 * `report FILE`: the reports of a report.json, written again.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { EXIT } from "../run/verdict.ts";
import {
  type CommandContext,
  grammarOf,
  optionsIn,
  type Outcome,
  parseSettings,
  readAll,
} from "./command_line.ts";
import { readReport, refuseOwnFile } from "./files.ts";
import { formatsOr, optionsNamed, SETTINGS } from "./options.ts";
import { prepareOutput, writtenText } from "./report_folder.ts";
import { writeReports } from "./write_reports.ts";

/** What it takes. */
export const REPORT = grammarOf(
  `Usage: deno task report FILE [options]

Writes the reports again from a report.json.`,
  [
    ...optionsIn(`  --out DIR  default: the folder of FILE
  --format A,B  json, md, html, junit, github, benchmark (default: md,html)`),
    ...optionsNamed("inject", "help"),
  ],
  { name: "FILE", isOne: true },
);

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
  const { settings, files: [file = ""] } = parseSettings(args, {}, REPORT);
  const place = { directory, env: {}, vocabulary: {} };
  const readers = { formats: formatsOr("md", "html"), page: SETTINGS.page };
  const { formats, page } = await readAll(readers, settings, place);
  const out = settings.get("out")?.at(-1);
  const outDirectory = resolve(directory, out?.text ?? dirname(file));
  if (out !== undefined) await prepareOutput(outDirectory);
  await refuseOwnFile(page, outDirectory);
  const report = await readReport({ source: "the argument", text: file }, place);
  const paths = await writeReports(report, { directory: outDirectory, formats, page });
  return { text: writtenText({ paths, kept: null }).trimStart(), exitCode: EXIT.passed };
}
