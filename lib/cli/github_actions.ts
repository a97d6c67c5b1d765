/**
 * What GitHub Actions is told, where a run is a step of one of its jobs or is told to speak to it.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { escapeTerminal } from "../report/escape.ts";
import { renderAnnotations } from "../report/github/annotations.ts";
import { appendStepSummary, type ReportFormat, ReportWriteError } from "../report/write.ts";
import type { CiSettings } from "./ci_settings.ts";

/** Where it goes. */
export interface GithubOptions {
  ci: CiSettings;
  formats: readonly ReportFormat[];
  /** Writes workflow commands to standard output. */
  printCommands: (text: string) => void;
  warn: (message: string) => void;
}

/** Annotations, and the summary of the step. What is in the way is told; the verdict stands all the same. */
export async function tellGithub(report: Report, options: GithubOptions): Promise<void> {
  const { ci, formats } = options;
  if (ci.annotates || formats.includes("github")) options.printCommands(renderAnnotations(report));
  if (ci.stepSummaryPath === null) return;
  try {
    await appendStepSummary(report, ci.stepSummaryPath);
  } catch (error) {
    if (!(error instanceof ReportWriteError)) throw error;
    options.warn(escapeTerminal(error.message));
  }
}
