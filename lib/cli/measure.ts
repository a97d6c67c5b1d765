/**
 * The course of every run, of one server or two: plan and warnings, progress and interrupts, then
 * the verdict, the reports and the exit code.
 *
 * @module
 */

import { systemClock } from "../client/clock.ts";
import { escapeTerminal } from "../report/escape.ts";
import { renderAnnotations } from "../report/export/github.ts";
import { readCommit } from "../run/environment.ts";
import type { PlannedScenario } from "../run/plan.ts";
import type { RunHooks } from "../run/run.ts";
import type { Scenario } from "../run/scenario.ts";
import type { RunSettings } from "../run/settings.ts";
import { EXIT } from "../run/verdict.ts";
import { waitForServer } from "../run/wait_for_server.ts";
import type { Report } from "../schema.ts";
import { compareWithEarlier } from "../stats/compare.ts";
import type { Config } from "./config.ts";
import { invocation, maskCommand } from "./invocation.ts";
import { openPage } from "./open_page.ts";
import {
  announceHeavyCalls,
  planLine,
  plannedNs,
  requireDescriptors,
  unusedOptions,
} from "./plan.ts";
import { createProgress } from "./progress.ts";
import { pageUrl, prepareOutput, reportFolder, writtenText } from "./report_folder.ts";
import { appendStepSummary, renderTerminalSummary, ReportWriteError } from "./write_reports.ts";

/** Where a command prints; provided by main.ts, the only module that touches the process. */
export interface Terminal {
  /** To standard output, with workflow commands defused. */
  print: (text: string) => void;
  /** To standard error, with workflow commands defused. */
  printError: (text: string) => void;
  /** On one line of standard error, without control characters. */
  printWarning: (message: string) => void;
  /** To standard output as it is, for commands to GitHub Actions. */
  printCommands: (text: string) => void;
  /** True if standard error is a terminal, where a line can be redrawn. */
  isLive: boolean;
  /** The columns of the terminal. */
  width: () => number;
  /** The style of standard output; `color` is what the user wants. */
  style: (color: boolean) => { color: boolean; width: number };
}

/** The first Ctrl-C ends the work in good order; a later one exits immediately. */
export interface Interrupt {
  signal: AbortSignal;
  /** The exit code of the signal received; `null`: none. */
  readonly exitCode: number | null;
}

/** The parts of the program that a measuring command needs. */
export interface Program {
  scenarios: readonly Scenario[];
  /** The module that a worker runs. */
  workerModule: URL;
  suite: { name: string; version: string };
  /** The project's folder; `null` in the bundle. */
  project: URL | null;
  terminal: Terminal;
  interrupt: (doing: string) => Interrupt;
}

export interface Measurement {
  planned: readonly PlannedScenario[];
  /** One server, or A and B. */
  servers: readonly RunSettings[];
  /** Starts the servers; `null`: they are running already. */
  start: ((signal: AbortSignal) => Promise<void>) | null;
  run: (hooks: Omit<RunHooks, "bundled">) => Promise<Report>;
}

/**
 * Measures what is planned, writes the reports and returns the exit code.
 *
 * @throws {UsageError} if the plan does not fit the settings, or `--out` is not writable
 * @throws {ReportWriteError} if the final write fails, after the result has been printed
 */
export async function measure(
  config: Config,
  program: Program,
  { planned, servers, start, run }: Measurement,
): Promise<number> {
  const { quiet, color, ci, outDirectory, formats } = config;
  const { print, printError, printWarning, ...terminal } = program.terminal;
  const plan = { config, planned, sides: servers.length };
  requireDescriptors(plan);
  warnOfWay(servers, printWarning);
  const announcement = announceHeavyCalls(plan);
  if (announcement !== null) printError(`${announcement}\n`);
  unusedOptions(plan, program.scenarios).forEach(printWarning);
  await prepareOutput(outDirectory);
  const interrupt = program.interrupt("writing what was measured so far");
  const { signal } = interrupt;
  await start?.(signal);
  if (!quiet) printError(planLine(plan));
  const folder = reportFolder(outDirectory, formats);
  using progress = createProgress({
    write: quiet ? () => {} : printError,
    live: terminal.isLive && !quiet && !ci.plain,
    color,
    width: terminal.width,
    clock: systemClock,
    plannedNs: plannedNs(plan),
  });
  const onProgress = (text: string) => quiet || printError(`${escapeTerminal(text)}\n`);
  for (const settings of servers) await waitForServer(settings, { signal, onProgress });
  const found = await run({
    ...{ planned, signal },
    onWarning: (message) => {
      progress[Symbol.dispose]();
      printWarning(message);
    },
    onProgress: (how) => progress.show(how),
    // Errors are ignored here; the final write reports them.
    onPartialReport: (soFar) => folder.write(soFar, { draws: false }).then(() => {}, () => {}),
  });
  const report = compareWithEarlier(found, await folder.earlier(found), config);
  progress[Symbol.dispose]();
  // Printed before the reports are written, so that a full disk does not lose the result.
  print(renderTerminalSummary(report, terminal.style(color)));
  await reportToGithub(report, config, program.terminal);
  const written = await folder.write(report, { page: config.page });
  print(writtenText(written));
  const url = pageUrl(written.paths);
  if (config.opener !== null && url !== null) {
    const problem = await openPage(config.opener, url);
    if (problem !== null) printWarning(problem);
  }
  const { exitCode } = report.verdict;
  return exitCode === EXIT.interrupted ? interrupt.exitCode ?? exitCode : exitCode;
}

/** Prints annotations and writes the step summary. If that fails, a warning is printed. */
async function reportToGithub(
  report: Report,
  { ci, formats }: Config,
  { printCommands, printWarning }: Terminal,
): Promise<void> {
  if (ci.annotates || formats.includes("github")) printCommands(renderAnnotations(report));
  if (ci.stepSummaryPath === null) return;
  try {
    await appendStepSummary(report, ci.stepSummaryPath);
  } catch (error) {
    if (!(error instanceof ReportWriteError)) throw error;
    printWarning(error.message);
  }
}

/** The settings of a run on a server. In its command, the token and `secret` are masked. */
export async function settingsOf(
  config: Config & { url: string },
  { suite, project }: Program,
  [name, ...args]: readonly [string, ...string[]],
  secret: string | null = null,
): Promise<RunSettings> {
  return {
    ...config,
    suite: { ...suite, commit: await readCommit(project) },
    command: maskCommand([...invocation(name), ...args], [config.token, secret]),
  };
}

/** Warns about a proxy or relay on the way to a server, whose time is measured too. */
export function warnOfWay(
  servers: readonly Pick<RunSettings, "proxy" | "insecure">[],
  warn: (message: string) => void,
): void {
  for (const proxy of new Set(servers.flatMap(({ proxy }) => proxy ?? []))) {
    warn(`connections go through the proxy ${proxy}: its time is measured with the server's`);
  }
  if (servers.some(({ insecure }) => insecure)) {
    warn(
      "--insecure: certificates are not checked, so ANYONE CAN POSE AS THE SERVER and read the token; " +
        "calls go through a relay in this process, whose time is measured with the server's",
    );
  }
}
