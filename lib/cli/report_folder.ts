/**
 * The folder that a run's reports go to: the latest there, the report.json of earlier runs in `history`, and a run
 * that measured nothing in `failed`, where it would replace one that did.
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
/** Where a run goes that measured nothing. It is never a baseline. */
export const FAILED_FOLDER = "failed";
/** So many earlier reports are kept. */
export const MOST_KEPT = 20;
/** The name of a kept report: when its run began. */
const KEPT_NAME = /^\d{4}-\d\d-\d\dT[\d.-]+Z\.json$/;
/** What people come back to; the other formats are for a job that reads them right after the run. */
const LASTING: readonly ReportFormat[] = ["json", "md", "html"];

/** What was written, and what was not. */
export interface Written {
  paths: string[];
  /** The earlier run whose reports were left in their place, by when it began; `null`: none was. */
  kept: string | null;
}

/** Has anything been measured? */
function hasNumbers({ scenarios }: Report): boolean {
  return scenarios.some(({ metrics }) => metrics.length > 0);
}

/** One folder of reports. */
export class ReportFolder {
  readonly #directory: string;
  readonly #formats: readonly ReportFormat[];
  /** When the run began whose report.json is there, once one has been written. */
  #written: string | null = null;
  /** Why the report before it could not be kept. */
  #problem: Error | null = null;

  constructor(directory: string, formats: readonly ReportFormat[]) {
    this.#directory = directory;
    this.#formats = formats;
  }

  /**
   * Writes the reports of a run, after the report.json that is there has gone to the history. Of a run that measured
   * nothing, what would replace the reports of one that did goes to another folder, and `page` is left as it is.
   *
   * @throws {ReportWriteError} if something cannot be written, or the earlier report not be kept
   */
  async write(
    report: Report,
    rest: { draws?: boolean; page?: string | null } = {},
  ): Promise<Written> {
    const [directory, formats] = [this.#directory, this.#formats];
    const kept = hasNumbers(report) ? null : await this.#wouldLose(report);
    if (kept !== null) {
      const isLasting = (format: ReportFormat) => LASTING.includes(format);
      const [lasting, others] = [
        formats.filter(isLasting),
        formats.filter((one) => !isLasting(one)),
      ];
      const write = async (directory: string, formats: ReportFormat[]) =>
        formats.length === 0 ? [] : await writeReports(report, { directory, formats });
      const aside = await write(`${directory}/${FAILED_FOLDER}`, lasting);
      return { paths: [...aside, ...await write(directory, others)], kept };
    }
    // If it cannot be kept, the new one is written all the same, and the error reported with each write.
    if (formats.includes("json") && this.#written !== report.startedAt) {
      this.#problem = await this.#keepEarlier(report).then(() => null, (error) => error);
    }
    const paths = await writeReports(report, { directory, formats, ...rest });
    this.#written = report.startedAt;
    if (this.#problem !== null) throw this.#problem;
    return { paths, kept };
  }

  /** The reports of earlier runs in this folder, the oldest first; what cannot be read is left out. */
  async earlier({ startedAt }: Report): Promise<Report[]> {
    const paths = [...await this.#keptPaths(), `${this.#directory}/report.json`];
    const reports = await Promise.all(paths.map(readIfReport));
    const found = new Map(reports.flatMap((one) => one === null ? [] : [[one.startedAt, one]]));
    found.delete(startedAt);
    return [...found.values()].sort((a, b) => a.startedAt < b.startedAt ? -1 : 1);
  }

  /** When the run began whose reports would be replaced by others; `null`: none would be. */
  async #wouldLose({ startedAt }: Report): Promise<string | null> {
    const there = await readIfReport(`${this.#directory}/report.json`);
    if (there !== null) {
      return hasNumbers(there) && there.startedAt !== startedAt ? there.startedAt : null;
    }
    const names = this.#formats.filter((one) => LASTING.includes(one)).flatMap(reportFileNames);
    const found = await Promise.all(
      names.map((name) => Deno.stat(`${this.#directory}/${name}`).catch(() => null)),
    );
    const times = found.flatMap((info) => info?.mtime?.toISOString() ?? []);
    return times.sort().at(-1) ?? null;
  }

  async #keepEarlier({ startedAt }: Report): Promise<void> {
    const path = `${this.#directory}/report.json`;
    const there = await readIfReport(path);
    if (there === null || !hasNumbers(there) || there.startedAt === startedAt) return;
    const folder = `${this.#directory}/${HISTORY}`;
    const name = `${there.startedAt.replaceAll(":", "-")}.json`;
    if (!KEPT_NAME.test(name)) return;
    await attempt(`keep the earlier report in ${folder}`, async () => {
      await Deno.mkdir(folder, { recursive: true });
      await Deno.copyFile(path, `${folder}/${name}`);
      for (const old of (await this.#keptPaths()).slice(0, -MOST_KEPT)) await Deno.remove(old);
    });
  }

  /** Those of the history, the oldest first. */
  async #keptPaths(): Promise<string[]> {
    const folder = `${this.#directory}/${HISTORY}`;
    const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
    return entries.filter(({ name, isFile }) => isFile && KEPT_NAME.test(name))
      .map(({ name }) => `${folder}/${name}`).sort();
  }
}

/**
 * Makes sure, before anything is measured, that reports can be written to a folder, which it creates.
 *
 * @throws {UsageError} naming the folder and the cause
 */
export async function prepareOutput(directory: string): Promise<void> {
  const probe = `${directory}/.write-probe-${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(probe, "", { createNew: true });
    await Deno.remove(probe);
  } catch (error) {
    const cause = `${causeOf(error)}; accepted is a folder that can be written, or made`;
    throw new UsageError(`Cannot use --out ${quoted(directory)}: ${cause}`);
  }
}

/** What stands at the end of a run: a path a line, the page as a link that a terminal can open. */
export function writtenText({ paths, kept }: Written): string {
  const lines = paths.map((path) => `  ${escapeTerminal(path)}\n`).join("");
  const page = pageUrl(paths);
  const heading = kept === null
    ? "Reports:"
    : `Kept the earlier report of ${formatTimestamp(kept)}, as this run measured nothing. Its own:`;
  return `\n${heading}\n${lines}${page === null ? "" : `\n${escapeTerminal(page)}\n`}`;
}

/** The `file://` URL of report.html; `null`: it is not among the paths. */
export function pageUrl(paths: readonly string[]): string | null {
  const page = paths.find((path) => path.endsWith(".html"));
  return page === undefined ? null : pathToFileURL(page).href;
}

async function readIfReport(path: string): Promise<Report | null> {
  try {
    return parseReport(await Deno.readTextFile(path), path);
  } catch {
    // None is there, or it is none of ours.
    return null;
  }
}
