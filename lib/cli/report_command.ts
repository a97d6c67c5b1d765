/**
 * `report FILE`: the reports of a report.json, written again.
 *
 * @module
 */

import { dirname } from "node:path";
import { REPORT_FORMATS, writeReports } from "./write_reports.ts";
import { EXIT } from "../run/verdict.ts";
import type { Report } from "../schema.ts";
import type { CommandContext, Outcome } from "./command.ts";
import { readPagePath, readReport, refuseOwnFile } from "./files.ts";
import { OPTIONS } from "./options.ts";
import { asksForHelp, type Grammar, parseSettings } from "./parse.ts";
import { prepareOutput, resolvePath } from "./paths.ts";
import { writtenText } from "./report_folder.ts";
import { parseNames } from "./values.ts";

const REPORT: Grammar = {
  positionals: ["FILE"],
  options: new Map(["out", "format", "inject", "help"].map((name) => [name, OPTIONS.get(name)!])),
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
  const outDirectory = resolvePath(directory, values.get("out")?.text ?? dirname(path));
  if (values.has("out")) await prepareOutput(outDirectory);
  await refuseOwnFile(page, outDirectory);
  const paths = await writeReports(await readNamed(path, directory), {
    directory: outDirectory,
    formats: formats === undefined ? ["md", "html"] : parseNames(formats, REPORT_FORMATS),
    page,
  });
  return { text: writtenText({ paths, kept: null }).trimStart(), exitCode: EXIT.passed };
}

async function readNamed(path: string, directory: string): Promise<Report> {
  return (await readReport({ source: "the argument", text: path }, directory))!;
}
