/**
 * The folder of a run's reports: the latest ones, report.json of earlier runs in `history`, and in
 * `failed` a run that measured nothing but would have replaced one that did.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { escapeTerminal } from "../report/escape.ts";
import { parseReport } from "../report/export/json.ts";
import { formatTimestamp } from "../report/units.ts";
import type { Report } from "../schema.ts";
import { causeOf, quoted, UsageError } from "./usage_error.ts";
import { attempt } from "./whole_files.ts";
import { reportFileNames, type ReportFormat, writeReports } from "./write_reports.ts";

const HISTORY = "history";
/** The folder of a run that measured nothing, which is never a baseline. */
export const FAILED_FOLDER = "failed";
/** Maximum number of earlier reports to keep. */
export const MOST_KEPT = 20;
/** The name of a kept report: the start time of its run. */
const KEPT_NAME = /^\d{4}-\d\d-\d\dT[\d.-]+Z\.json$/;
/** Formats that people come back to; the others are read by a job right after the run. */
const LASTING: readonly ReportFormat[] = ["json", "md", "html"];

export interface Written {
  paths: string[];
  /** The start time of an earlier run whose reports were not replaced; `null`: none. */
  kept: string | null;
}

/** True if anything was measured. */
function hasNumbers({ scenarios }: Report): boolean {
  return scenarios.some(({ metrics }) => metrics.length > 0);
}

/** The folder of a run's reports. */
export function reportFolder(directory: string, formats: readonly ReportFormat[]) {
  const lasting = formats.filter((one) => LASTING.includes(one));
  const others = formats.filter((one) => !LASTING.includes(one));
  /** The start time of the run whose report.json has been written here. */
  let written: string | null = null;
  /** Why the earlier report could not be kept. */
  let problem: Error | null = null;

  /** The start time of an earlier run whose reports would be replaced; `null`: none would be. */
  const wouldLose = async ({ startedAt }: Report): Promise<string | null> => {
    const there = await readIfReport(`${directory}/report.json`);
    if (there !== null) {
      return hasNumbers(there) && there.startedAt !== startedAt ? there.startedAt : null;
    }
    const found = await Promise.all(
      lasting.flatMap(reportFileNames)
        .map((name) => Deno.stat(`${directory}/${name}`).catch(() => null)),
    );
    return found.flatMap((info) => info?.mtime?.toISOString() ?? []).sort().at(-1) ?? null;
  };

  /**
   * Copies the existing report.json to the history, then writes the reports of a run. If the run
   * measured nothing, reports that would replace those of one that did go to another folder, and
   * `page` is left alone.
   *
   * @throws {ReportWriteError} if a file cannot be written, or the earlier report cannot be kept
   */
  const write = async (
    report: Report,
    rest: { draws?: boolean; page?: string | null } = {},
  ): Promise<Written> => {
    const kept = hasNumbers(report) ? null : await wouldLose(report);
    if (kept !== null) {
      const failed = { directory: `${directory}/${FAILED_FOLDER}`, formats: lasting };
      const paths = lasting.length === 0 ? [] : await writeReports(report, failed);
      return {
        paths: [...paths, ...await writeReports(report, { directory, formats: others })],
        kept,
      };
    }
    // If that fails, the new report is written anyway, and each write throws the error.
    if (formats.includes("json") && written !== report.startedAt) {
      problem = await keepEarlier(directory, report).then(() => null, (error) => error);
    }
    const paths = await writeReports(report, { directory, formats, ...rest });
    written = report.startedAt;
    if (problem !== null) throw problem;
    return { paths, kept };
  };

  /** The readable reports of earlier runs in this folder, oldest first. */
  const earlier = async ({ startedAt }: Report): Promise<Report[]> => {
    const paths = [...await keptPaths(directory), `${directory}/report.json`];
    const reports = await Promise.all(paths.map(readIfReport));
    const found = new Map(reports.flatMap((one) => one === null ? [] : [[one.startedAt, one]]));
    found.delete(startedAt);
    return [...found.values()].sort((a, b) => a.startedAt < b.startedAt ? -1 : 1);
  };
  return { write, earlier };
}

async function keepEarlier(directory: string, { startedAt }: Report): Promise<void> {
  const path = `${directory}/report.json`;
  const there = await readIfReport(path);
  if (there === null || !hasNumbers(there) || there.startedAt === startedAt) return;
  const folder = `${directory}/${HISTORY}`;
  const name = `${there.startedAt.replaceAll(":", "-")}.json`;
  if (!KEPT_NAME.test(name)) return;
  await attempt(`keep the earlier report in ${folder}`, async () => {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.copyFile(path, `${folder}/${name}`);
    for (const old of (await keptPaths(directory)).slice(0, -MOST_KEPT)) await Deno.remove(old);
  });
}

/** The reports in the history, oldest first. */
async function keptPaths(directory: string): Promise<string[]> {
  const folder = `${directory}/${HISTORY}`;
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return entries.filter(({ name, isFile }) => isFile && KEPT_NAME.test(name))
    .map(({ name }) => `${folder}/${name}`).sort();
}

/**
 * Creates the folder of the reports, and checks that it is writable before anything is measured.
 *
 * @throws {UsageError} with the folder and the cause
 */
export async function prepareOutput(directory: string): Promise<void> {
  const probe = `${directory}/.write-probe-${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(probe, "", { createNew: true });
    await Deno.remove(probe);
  } catch (error) {
    const accepted = "accepted is a folder that is writable, or can be created";
    const cause = error instanceof Deno.errors.AlreadyExists
      ? "it is a file, not a folder"
      : causeOf(error);
    throw new UsageError(`Cannot use --out ${quoted(directory)}: ${cause}; ${accepted}`);
  }
}

/** The last lines of a run: the path of each report, and a link to the page. */
export function writtenText({ paths, kept }: Written): string {
  const lines = paths.map((path) => `  ${escapeTerminal(path)}\n`).join("");
  const page = pageUrl(paths);
  const heading = kept === null
    ? "Reports:"
    : `Kept the earlier report of ${formatTimestamp(kept)}, as this run measured nothing. ` +
      "Reports of this run:";
  return `\n${heading}\n${lines}${page === null ? "" : `\n${escapeTerminal(page)}\n`}`;
}

/** The `file://` URL of report.html; `null` if it is not among the paths. */
export function pageUrl(paths: readonly string[]): string | null {
  const page = paths.find((path) => path.endsWith(".html"));
  return page === undefined ? null : pathToFileURL(page).href;
}

async function readIfReport(path: string): Promise<Report | null> {
  try {
    return parseReport(await Deno.readTextFile(path), path);
  } catch {
    // Not there, or not a report of this suite.
    return null;
  }
}
