/**
 * What GitHub Actions is told, where a run is a step of one of its jobs or is told to speak to it.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { escapeTerminal } from "../report/escape.ts";
import { renderAnnotations } from "../report/export/github.ts";
import { appendStepSummary, type ReportFormat, ReportWriteError } from "./write_reports.ts";
import type { CiSettings } from "./ci_settings.ts";

/** Where it goes. */
export interface GithubOptions {
  ci: CiSettings;
  formats: readonly ReportFormat[];
  /** Writes workflow commands to standard output. */
  printCommands: (text: string) => void;
  printWarning: (message: string) => void;
}

/** Annotations, and the summary of the step. If it cannot be written, a warning is printed; the verdict stands. */
export async function tellGithub(report: Report, options: GithubOptions): Promise<void> {
  const { ci, formats } = options;
  if (ci.annotates || formats.includes("github")) options.printCommands(renderAnnotations(report));
  if (ci.stepSummaryPath === null) return;
  try {
    await appendStepSummary(report, ci.stepSummaryPath);
  } catch (error) {
    if (!(error instanceof ReportWriteError)) throw error;
    options.printWarning(escapeTerminal(error.message));
  }
}

/**
 * Lines of output that GitHub Actions takes for none of its commands, whatever a server has put into them:
 * it looks for `::` at the start of a line, behind white space, and for `##[` anywhere.
 */
export function defuseCommands(text: string): string {
  return text.replace(/^([\s\u0085]*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}
