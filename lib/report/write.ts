/**
 * Writes the reports of a run to a folder. The only module of lib/report that touches files.
 *
 * @module
 */

import type { Report } from "../contract.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";

/** The formats that can be written. */
export const REPORT_FORMATS = ["json", "md", "html", "junit"] as const;
export type ReportFormat = typeof REPORT_FORMATS[number];

const FILES: Record<ReportFormat, { name: string; render: (report: Report) => string }> = {
  json: { name: "report.json", render: renderJson },
  md: { name: "report.md", render: renderMarkdown },
  html: { name: "report.html", render: renderHtml },
  junit: { name: "junit.xml", render: renderJunit },
};

/** Where reports go, and which. */
export interface WriteOptions {
  /** Created if it is not there. */
  directory: string;
  formats: readonly ReportFormat[];
}

/** A report that could not be written; the message names the path and the cause. */
export class ReportWriteError extends Error {
  override readonly name = "ReportWriteError";
}

/**
 * Writes a report in every format asked for and returns the paths. Each file is written whole or not
 * at all: all of them are complete beside their final names before the first takes its own.
 *
 * @throws {ReportWriteError} if the folder cannot be made or a file not written
 */
export async function writeReports(report: Report, options: WriteOptions): Promise<string[]> {
  const { directory, formats } = options;
  await attempt(`create the folder ${directory}`, () => Deno.mkdir(directory, { recursive: true }));
  const suffix = `.${crypto.randomUUID()}.tmp`;
  const files = formats.map((format) => ({
    path: `${directory.replace(/[/\\]+$/, "") || directory}/${FILES[format].name}`,
    text: FILES[format].render(report),
  }));
  try {
    for (const { path, text } of files) {
      await attempt(
        `write ${path}`,
        () => Deno.writeTextFile(path + suffix, text, { createNew: true }),
      );
    }
    for (const { path } of files) {
      await attempt(`write ${path}`, () => Deno.rename(path + suffix, path));
    }
  } catch (error) {
    await Promise.all(files.map(({ path }) => removeIfThere(path + suffix)));
    throw error;
  }
  return files.map(({ path }) => path);
}

/** Runs `action`; what it throws becomes "Cannot `what`: cause". */
async function attempt(what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new ReportWriteError(`Cannot ${what}: ${cause}`, { cause: error });
  }
}

/** The file may never have been made, or have its final name already. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // Nothing is left to do: the error that brought us here is the one to tell.
  }
}
