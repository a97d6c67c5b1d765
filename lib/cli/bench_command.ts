/**
 * `bench`: a run from its settings to its reports and its exit code.
 *
 * @module
 */

import { systemClock } from "../client/clock.ts";
import { escapeTerminal } from "../report/escape.ts";
import { renderTerminalSummary } from "./write_reports.ts";
import { maskCommand } from "./masked_command.ts";
import { prepareSplit, runBench } from "../run/bench.ts";
import { waitForServer } from "../run/wait_for_server.ts";
import { readCommit } from "../run/environment.ts";
import { startLimitedServer } from "../run/limited_server.ts";
import { planScenarios } from "../run/plan.ts";
import type { RunHooks } from "../run/run.ts";
import type { Scenario } from "../run/scenario.ts";
import type { RunSettings } from "../run/settings.ts";
import { EXIT } from "../run/verdict.ts";
import type { Report } from "../schema.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../server/embedded.ts";
import { defaultServerOptions } from "../server/options.ts";
import { compareWithEarlier } from "../stats/compare_earlier.ts";
import { runOnWorkers } from "../split/workers.ts";
import type { Config } from "./config.ts";
import { tellGithub } from "./github_actions.ts";
import { invocation } from "./invocation.ts";
import type { Interrupt, Terminal } from "./terminal.ts";
import { planLine, plannedNs } from "./listing.ts";
import { openPage } from "./open_page.ts";
import { prepareOutput } from "./paths.ts";
import { announceHeavyCalls, countWorkersFor, unusedOptions } from "./plan_checks.ts";
import { filesOfEach, mostPlanned, requireDescriptors } from "./descriptors.ts";
import { createProgress } from "./progress.ts";
import { pageUrl, ReportFolder, writtenText } from "./report_folder.ts";

/** What a run is started with, beside its settings. */
export interface BenchOptions {
  args: readonly string[];
  scenarios: readonly Scenario[];
  /** The module that a worker runs. */
  workerModule: URL;
  suite: { name: string; version: string };
  /** The folder of the project; `null` in the bundle. */
  project: URL | null;
  terminal: Terminal;
  interrupt: (doing: string) => Interrupt;
}

/** How often the bundled server reports the progress of a heavy call, which there takes seconds. */
const PROGRESS_INTERVAL_MS = 250;

/** The bundled server, as a rule with its connection limit on and its rate limits off: see docs/options.md. */
async function startBundledServer({ token, seed }: Config): Promise<EmbeddedServer> {
  return await startEmbeddedServer(defaultServerOptions({
    token: token ?? crypto.randomUUID(),
    limits: "off",
    seed,
    progressIntervalMs: PROGRESS_INTERVAL_MS,
  }));
}

/**
 * Measures, writes the reports, and gives the exit code.
 *
 * @throws {UsageError} if the plan does not fit the settings, or nothing can be written
 * @throws {ReportWriteError} if the last write fails, after the result has been printed
 * @throws {IncomparableError} if a baseline is of another workload
 */
export async function bench(config: Config, options: BenchOptions): Promise<number> {
  const { scenarios, suite, terminal } = options;
  const { print, printError, printWarning } = terminal;
  const planned = planScenarios(scenarios, { ...config, names: config.scenarios });
  const workers = countWorkersFor(config, planned);
  requireDescriptors({
    connections: mostPlanned(planned, config.shard?.count ?? 1),
    each: filesOfEach({ ...config, isBundled: config.url === null }),
  });
  warnOfWay(config, printWarning);
  const announcement = announceHeavyCalls(config, planned);
  if (announcement !== null) printError(`${announcement}\n`);
  if (config.unusedShard !== null) printWarning(config.unusedShard);
  unusedOptions(config, planned, scenarios).forEach(printWarning);
  await prepareOutput(config.outDirectory);
  if (!config.quiet) printError(planLine(config, planned));
  const interrupt = options.interrupt("writing what was measured so far");
  await using server = config.url === null ? await startBundledServer(config) : null;
  const token = server === null ? config.token : server.token;
  const settings: RunSettings = {
    ...config,
    url: config.url ?? server!.url,
    token,
    suite: { ...suite, commit: await readCommit(options.project) },
    command: maskCommand([...invocation("bench"), ...options.args], [token]),
  };
  const folder = new ReportFolder(config.outDirectory, config.formats);
  using progress = createProgress({
    write: config.quiet ? () => {} : printError,
    live: terminal.isLive && !config.quiet && !config.ci.plain,
    color: config.color,
    width: terminal.width,
    clock: systemClock,
    plannedNs: plannedNs(config, planned),
  });
  const hooks: RunHooks = {
    signal: interrupt.signal,
    bundled: server === null ? null : {
      restart: () => server.restart(),
      startLimited: () => startLimitedServer(settings),
    },
    onWarning: (message) => printWarning(escapeTerminal(message)),
    onProgress: (how) => progress.show(how),
    // Errors are ignored here; the final write reports them.
    onPartialReport: (partial) => folder.write(partial, { draws: false }).then(() => {}, () => {}),
  };
  await waitForServer(settings, {
    signal: interrupt.signal,
    onProgress: (text) => config.quiet || printError(`${escapeTerminal(text)}\n`),
  });
  const found = await run(settings, { ...options, ...hooks, workers });
  const report = compareWithEarlier(found, await folder.earlier(found), config);
  progress[Symbol.dispose]();
  // Before the reports, so that a full disk does not take the result along.
  print(renderTerminalSummary(report, terminal.style(config.color)));
  await tellGithub(report, { ...config, ...terminal });
  const written = await folder.write(report, { page: config.page });
  print(writtenText(written));
  const url = pageUrl(written.paths);
  if (config.opener !== null && url !== null) {
    const problem = await openPage(config.opener, url);
    if (problem !== null) printWarning(escapeTerminal(problem));
  }
  const { exitCode } = report.verdict;
  return exitCode === EXIT.interrupted ? interrupt.exitCode ?? exitCode : exitCode;
}

/** What lies on the way to the server, and is measured with it. */
export function warnOfWay(
  { proxy, insecure }: Pick<Config, "proxy" | "insecure">,
  warn: (message: string) => void,
): void {
  if (proxy !== null) {
    warn(
      `connections go through the proxy ${
        escapeTerminal(proxy)
      }: its time is measured with the server's`,
    );
  }
  if (insecure) {
    warn(
      "--insecure: WHOEVER ANSWERS IS TAKEN FOR THE SERVER, and may read the token; its certificate is not " +
        "checked, and calls go through a relay in this process, whose time is measured with the server's",
    );
  }
}

/** On this event loop, or split among workers with one each. */
async function run(
  settings: RunSettings,
  { workers, scenarios, workerModule, terminal, ...hooks }:
    & RunHooks
    & Pick<BenchOptions, "scenarios" | "workerModule" | "terminal">
    & { workers: number },
): Promise<Report> {
  if (workers === 1) return await runBench(settings, { ...hooks, scenarios });
  const prepared = await prepareSplit(settings, { ...hooks, scenarios });
  const report = await runOnWorkers(prepared.settings, {
    ...hooks,
    workers,
    module: workerModule,
    onLost: (message) => terminal.printWarning(escapeTerminal(message)),
  });
  return { ...report, rateLimit: report.rateLimit ?? prepared.rateLimit };
}
