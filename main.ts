/**
 * The only entry: arguments and environment to a configuration, a run, its reports and an exit code.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import project from "./deno.json" with { type: "json" };
import { COMMANDS } from "./lib/cli/commands.ts";
import { type Config, readCommand } from "./lib/cli/config.ts";
import { readEnvFile } from "./lib/cli/env_file.ts";
import { prepareOutput, resolvePath } from "./lib/cli/paths.ts";
import { announceHeavyCalls, countWorkersFor } from "./lib/cli/plan_checks.ts";
import { tellGithub } from "./lib/cli/github_actions.ts";
import { createProgress } from "./lib/cli/progress.ts";
import { usageText } from "./lib/cli/usage.ts";
import { UsageError } from "./lib/cli/usage_error.ts";
import { IncomparableError } from "./lib/stats/comparability.ts";
import { parseServeOptions } from "./lib/cli/serve_options.ts";
import type { Report } from "./lib/schema.ts";
import { defuseCommands, escapeTerminal } from "./lib/report/escape.ts";
import { maskCommand, maskSecrets, urlSecrets } from "./lib/report/secrets.ts";
import { renderTerminalSummary } from "./lib/report/terminal.ts";
import { ReportWriteError, writeReports } from "./lib/report/write.ts";
import { systemClock } from "./lib/client/clock.ts";
import {
  refuseOtherBaseline,
  runConfigured,
  type RunHooks,
  type RunSettings,
} from "./lib/run/configured.ts";
import { startLimitedServer } from "./lib/run/limited_server.ts";
import { readCommit } from "./lib/run/environment.ts";
import { planScenarios } from "./lib/run/plan.ts";
import { EXIT } from "./lib/run/verdict.ts";
import { type EmbeddedServer, startEmbeddedServer } from "./lib/server/embedded.ts";
import { defaultServerOptions } from "./lib/server/options.ts";
import { startServer } from "./lib/server/serve.ts";
import { runOnWorkers } from "./lib/split/workers.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const PROJECT = new URL(".", import.meta.url);
/** The variables that each command may read: those that deno.json permits it to. */
const BENCH_VARIABLES = project.permissions.bench.env;
const SERVE_VARIABLES = project.permissions.serve.env;

/** No text of others becomes a command of the system that reads the output. */
function print(text: string): void {
  printCommands(defuseCommands(text));
}

function printError(text: string): void {
  writeAll(Deno.stderr, defuseCommands(text));
}

/** For GitHub Actions, which takes commands from standard output. */
function printCommands(text: string): void {
  writeAll(Deno.stdout, text);
}

function printWarning(message: string): void {
  printError(`warning: ${message}\n`);
}

/** A pipe may take less than it is given. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    // Nobody reads any more, as after `| head`: the exit code is still to come.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const [name = "", ...rest] = args;
    if (name === "serve") return await serve(rest);
    const command = COMMANDS.get(name);
    if (command === undefined) return await benchOrTell(args);
    const style = terminalStyle(!Deno.env.get("NO_COLOR"));
    const outcome = await command(rest, { directory: workingDirectory(), ...style });
    print(outcome.text);
    return outcome.exitCode;
  } catch (error) {
    if (!EXPECTED_ERRORS.some((expected) => error instanceof expected)) throw error;
    printError(`error: ${escapeLines((error as Error).message)}\n`);
    return EXIT.usage;
  }
}

/** Errors that are told in one line: the person can do something about them. */
const EXPECTED_ERRORS = [UsageError, ReportWriteError, IncomparableError];

function escapeLines(text: string): string {
  return text.split("\n").map(escapeTerminal).join("\n");
}

/** deno task runs in the project's folder; people's paths are relative to where they called it. */
function workingDirectory(): string {
  return Deno.env.get("INIT_CWD") ?? Deno.cwd();
}

/** Runs the benchmark, or tells what the command line asks. */
async function benchOrTell(args: readonly string[]): Promise<number> {
  const directory = workingDirectory();
  const env = await readEnvironmentVariables(directory);
  const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));
  const command = await readCommand({ args, env, directory, vocabulary });
  switch (command.name) {
    case "help":
      print(`${usageText()}\n`);
      return EXIT.passed;
    case "version":
      print(`${project.version}\n`);
      return EXIT.passed;
    case "list":
      print(SCENARIOS.map(({ name, question }) => `${name}\n    ${question}\n`).join(""));
      return EXIT.passed;
    case "bench":
      return await bench(command.config, args);
    default:
      return command satisfies never;
  }
}

/** The reference server alone, until it is interrupted. */
async function serve(args: readonly string[]): Promise<number> {
  const command = parseServeOptions(args, readVariables(SERVE_VARIABLES));
  if (command.name === "help") {
    print(command.text);
    return EXIT.passed;
  }
  const interrupt = listenForInterrupts("stopping");
  await using server = await startServer(command.options).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  print(`Serving the EXAI protocol (dialect ${command.options.dialect}) at ${server.url}\n`);
  if (!interrupt.signal.aborted) {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
  }
  return interrupt.exitCode ?? EXIT.interrupted;
}

/** The environment, over the nearest `.env` file. */
async function readEnvironmentVariables(
  directory: string,
): Promise<Record<string, string | undefined>> {
  const files = [resolvePath(directory, ".env"), fileURLToPath(new URL(".env", PROJECT))];
  const { EXAI_WS_URL: url, ...file } = await readEnvFile(files);
  const env = readVariables(BENCH_VARIABLES);
  // A server named by host and port in the environment wins over the URL of the file.
  const named = env.EXAI_WS_HOST || env.EXAI_WS_PORT;
  return { ...(named ? {} : { EXAI_WS_URL: url }), ...file, ...env };
}

/** Those of the variables that are set. */
function readVariables(names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

async function bench(config: Config, args: readonly string[]): Promise<number> {
  const planned = planScenarios(SCENARIOS, { ...config, names: config.scenarios });
  const workers = countWorkersFor(config, planned);
  const announcement = announceHeavyCalls(config, planned);
  if (announcement !== null) printError(`${announcement}\n`);
  await prepareOutput(config.outDirectory);
  const interrupt = listenForInterrupts("writing what was measured so far");
  await using server = config.url === null ? await startBundledServer(config) : null;
  const token = server === null ? config.token : server.token;
  const settings: RunSettings = {
    ...config,
    url: config.url ?? server!.url,
    token,
    suite: { name: project.name, version: project.version, commit: await readCommit(PROJECT) },
    command: maskCommand(["deno", "task", "bench", ...args]),
  };
  const secrets = [
    token ?? "",
    ...Object.values(config.headers),
    ...config.url === null ? [] : urlSecrets(config.url),
  ];
  const write = (report: Report, rest: { draws?: boolean; page?: string | null }) =>
    writeReports(report, { directory: config.outDirectory, formats: config.formats, ...rest });
  using progress = createProgress({
    write: config.quiet ? () => {} : printError,
    live: Deno.stderr.isTerminal() && !config.quiet && !config.ci.plain,
    color: config.color,
    width: terminalWidth,
    clock: systemClock,
  });
  const hooks: RunHooks = {
    signal: interrupt.signal,
    bundled: server === null ? null : {
      restart: () => server.restart(),
      startLimited: () => startLimitedServer(settings),
    },
    onWarning: (message) => printWarning(escapeTerminal(message)),
    onProgress: (how) => progress.show(how),
    // What is in its way, the last write tells, after the result.
    onPartialReport: (partial) =>
      write(maskSecrets(partial, secrets), { draws: false }).then(() => {}, () => {}),
  };
  const report = maskSecrets(await run(settings, { ...hooks, workers }), secrets);
  progress[Symbol.dispose]();
  // Before the reports, so that a full disk does not take the result along.
  print(renderTerminalSummary(report, terminalStyle(config.color)));
  await tellGithub(report, { ...config, printCommands, warn: printWarning });
  const paths = await write(report, { page: config.page });
  print(`\nReports: ${paths.map(escapeTerminal).join(", ")}\n`);
  const { exitCode } = report.verdict;
  return exitCode === EXIT.interrupted ? interrupt.exitCode ?? exitCode : exitCode;
}

/** On this event loop, or split among workers with one each. */
async function run(
  settings: RunSettings,
  { workers, ...hooks }: RunHooks & { workers: number },
): Promise<Report> {
  if (workers === 1) return await runConfigured(settings, { ...hooks, scenarios: SCENARIOS });
  refuseOtherBaseline(settings, { ...hooks, scenarios: SCENARIOS });
  const module = new URL("scenarios/worker.ts", import.meta.url);
  return await runOnWorkers(settings, {
    ...hooks,
    workers,
    module,
    onLost: (message) => printWarning(escapeTerminal(message)),
  });
}

function terminalStyle(color: boolean): { color: boolean; width: number } {
  const terminal = Deno.stdout.isTerminal();
  return { color: color && terminal, width: terminal ? terminalWidth() : 100 };
}

/** The columns of the window; some terminals have none to tell. */
function terminalWidth(): number {
  return Deno.consoleSize().columns || 80;
}

/** How often the bundled server tells the progress of a heavy call, which there takes seconds. */
const PROGRESS_INTERVAL_MS = 250;

/** The bundled server, as a rule with its connection limit on and its rate limits off: see the README. */
async function startBundledServer({ token, seed }: Config): Promise<EmbeddedServer> {
  return await startEmbeddedServer(defaultServerOptions({
    token: token ?? crypto.randomUUID(),
    limits: "off",
    seed,
    progressIntervalMs: PROGRESS_INTERVAL_MS,
  }));
}

/** Within this time a second signal is the same Ctrl-C, which reaches the program twice. */
const SAME_SIGNAL_MS = 1_000;

/** The first Ctrl-C ends what the program does in good order; a later one ends it at once. */
function listenForInterrupts(
  doing: string,
): { signal: AbortSignal; readonly exitCode: number | null } {
  const controller = new AbortController();
  const state: { signal: AbortSignal; exitCode: number | null } = {
    signal: controller.signal,
    exitCode: null,
  };
  let firstMs = 0;
  const onSignal = (exitCode: number) => () => {
    if (state.exitCode !== null) {
      if (performance.now() - firstMs > SAME_SIGNAL_MS) Deno.exit(exitCode);
      return;
    }
    firstMs = performance.now();
    state.exitCode = exitCode;
    printError(`\nInterrupted: ${doing} (once more to quit at once)\n`);
    controller.abort(new Error("interrupted"));
  };
  Deno.addSignalListener("SIGINT", onSignal(EXIT.interrupted));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal(143));
  return state;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
