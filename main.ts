/**
 * The entry point: runs the command that the arguments name. The only module that uses the process:
 * its arguments, environment, output, signals and exit code.
 *
 * @module
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import project from "./deno.json" with { type: "json" };
import { ab, AB_USAGE } from "./lib/cli/ab_command.ts";
import { bench } from "./lib/cli/bench_command.ts";
import { asksForHelp, parseSettings, type Place } from "./lib/cli/command_line.ts";
import { readConfig } from "./lib/cli/config.ts";
import { noProxyWithLoopback, readEnvFile } from "./lib/cli/environment.ts";
import { asInvoked, defuseCommands, permissionsText } from "./lib/cli/invocation.ts";
import type { Interrupt, Terminal } from "./lib/cli/measure.ts";
import * as offline from "./lib/cli/offline_commands.ts";
import { OPTIONS, USAGE } from "./lib/cli/options.ts";
import { listText } from "./lib/cli/plan.ts";
import { serve, SERVE_USAGE } from "./lib/cli/serve_command.ts";
import { causeOf, closestTo, quoted, UsageError } from "./lib/cli/usage_error.ts";
import { WORKLOAD, workload } from "./lib/cli/workload_command.ts";
import { ReportWriteError } from "./lib/cli/write_reports.ts";
import { escapeTerminal } from "./lib/report/escape.ts";
import { EXIT } from "./lib/run/verdict.ts";
import { IS_BUNDLE } from "./lib/start_worker.ts";
import { IncomparableError } from "./lib/stats/comparability.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const PROJECT = new URL(".", import.meta.url);

interface Command {
  usage: string;
  /** The permissions in deno.json that include the variables to read. */
  reads: "bench" | "serve" | "report";
  run(args: readonly string[], place: Place, own: typeof program): Promise<number>;
}

const COMMANDS = new Map(Object.entries<Command>({
  ab: { usage: AB_USAGE, reads: "bench", run: ab },
  workload: { ...WORKLOAD, reads: "bench", run: workload },
  serve: { usage: SERVE_USAGE, reads: "serve", run: serve },
  compare: { ...offline.COMPARE, reads: "report", run: offline.runCompare },
  merge: { ...offline.MERGE, reads: "report", run: offline.runMerge },
  report: { ...offline.REPORT, reads: "report", run: offline.runReport },
  calibrate: { ...offline.CALIBRATE, reads: "bench", run: offline.runCalibrate },
}));
const BENCH: Command = { usage: USAGE, reads: "bench", run: runBench };

/** Runs a command line and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const exitCode = await run(args);
    if (outputError === null) return exitCode;
    throw new ReportWriteError(`Cannot write to standard output: ${outputError}`);
  } catch (error) {
    const lines = messageOf(error, args).split("\n").map(escapeTerminal);
    terminal.printError(`error: ${lines.join("\n")}\n`);
    return EXIT.usage;
  }
}

async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const command = COMMANDS.get(name);
  const meant = command || name.startsWith("-") ? null : closestTo(name, [...COMMANDS.keys()]);
  if (meant !== null) {
    throw new UsageError(`Unknown command ${quoted(name)}: did you mean deno task ${meant}?`);
  }
  const { usage, reads, run } = command ?? BENCH;
  const own = command === undefined ? args : rest;
  if (asksForHelp(own)) {
    terminal.print(usage);
    return EXIT.passed;
  }
  // Loopback bypasses any proxy. This must precede the first connection.
  const noProxy = reads === "bench" ? noProxyWithLoopback(variables(reads)) : null;
  if (noProxy !== null) Deno.env.set("NO_PROXY", noProxy);
  return await run(own, await readPlace(reads), program);
}

/** Runs the benchmark, or prints what an option such as `--list` asks for. */
async function runBench(args: readonly string[], place: Place): Promise<number> {
  const { settings } = parseSettings(args, place.env, { options: [...OPTIONS.values()] });
  const texts = {
    version: () => `${project.version}\n`,
    permissions: () => permissionsText(project),
    list: () => listText(SCENARIOS),
  };
  for (const [name, text] of Object.entries(texts)) {
    if (!settings.has(name)) continue;
    terminal.print(text());
    return EXIT.passed;
  }
  return await bench(await readConfig(settings, place), { ...program, args });
}

/** The message for the user; rethrows unexpected errors. */
function messageOf(error: unknown, [name = ""]: readonly string[]): string {
  const expected = [UsageError, ReportWriteError, IncomparableError];
  if (expected.some((kind) => error instanceof kind)) return (error as Error).message;
  if (!(error instanceof Deno.errors.NotCapable)) throw error;
  // The command was started with the permissions of another task.
  const command = COMMANDS.has(name) ? name : "bench";
  const [requires = ""] = error.message.replace(/^Requires/, "requires").split(",");
  return `Cannot run ${command} here, as it ${requires}: start it with deno task ${command}`;
}

/** The context of a command line. The environment overrides the nearest `.env` file. */
async function readPlace(reads: Command["reads"]): Promise<Place> {
  // `deno task` changes to the folder of the project.
  const directory = variable("INIT_CWD") ?? Deno.cwd();
  const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));
  const own = variables(reads);
  if (reads !== "bench") return { env: own, directory, vocabulary };
  const files = [resolve(directory, ".env"), fileURLToPath(new URL(".env", PROJECT))];
  const { EXAI_WS_URL: url, ...found } = await readEnvFile(files);
  // The runtime takes its proxy from the environment only.
  const file = Object.entries(found).filter(([name]) => !/_proxy$/i.test(name));
  const given = { ...Object.fromEntries(file), ...own };
  // A host or port in the environment wins over a URL in the file.
  const env = own.EXAI_WS_HOST || own.EXAI_WS_PORT ? given : { EXAI_WS_URL: url, ...given };
  return { env, directory, vocabulary };
}

/** The environment variables that are set, of those that a set of permissions includes. */
function variables(reads: Command["reads"]): Record<string, string | undefined> {
  return Object.fromEntries(project.permissions[reads].env.flatMap((name) => {
    const value = variable(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** @throws {UsageError} if the value is not UTF-8; it is not shown, as it may be secret */
function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    throw new UsageError(`Cannot use ${name}: accepted is text in UTF-8`);
  }
}

const terminal: Terminal = {
  print: (text) => writeAll(Deno.stdout, defuseCommands(asInvoked(text))),
  printError: (text) => writeAll(Deno.stderr, defuseCommands(asInvoked(text))),
  printWarning: (message) => terminal.printError(`warning: ${escapeTerminal(message)}\n`),
  printCommands: (text) => writeAll(Deno.stdout, text),
  isLive: Deno.stderr.isTerminal(),
  // Some terminals report 0 columns.
  width: () => Deno.consoleSize().columns || 80,
  style: (color) => {
    const isTerminal = Deno.stdout.isTerminal();
    return { color: color && isTerminal, width: isTerminal ? terminal.width() : 100 };
  },
};

/** The first error of standard output. It is reported last, so that reports are still written. */
let outputError: string | null = null;

/** Writes all of the text; a pipe may accept only a part at a time. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    // The reader has left, as with `| head`. The exit code still counts.
    if (error instanceof Deno.errors.BrokenPipe) return;
    // An error of standard error cannot be reported anywhere.
    if (stream === Deno.stdout) outputError ??= causeOf(error);
  }
}

/** Ctrl-C reaches the program twice: a second signal within this time is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** @param doing what the program does once it is interrupted */
function listenForInterrupts(doing: string): Interrupt {
  const controller = new AbortController();
  const interrupt = { signal: controller.signal, exitCode: null as number | null };
  let firstMs = 0;
  const onSignal = (exitCode: number) => () => {
    if (interrupt.exitCode !== null) {
      if (performance.now() - firstMs > SAME_SIGNAL_MS) Deno.exit(exitCode);
      return;
    }
    firstMs = performance.now();
    interrupt.exitCode = exitCode;
    terminal.printError(`\nInterrupted: ${doing} (again to quit immediately)\n`);
    controller.abort(new Error("interrupted"));
  };
  Deno.addSignalListener("SIGINT", onSignal(EXIT.interrupted));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal(143));
  return interrupt;
}

/** Passed to every command that measures. */
const program = {
  terminal,
  interrupt: listenForInterrupts,
  scenarios: SCENARIOS,
  workerModule: new URL("scenarios/worker.ts", import.meta.url),
  suite: { name: project.name, version: project.version },
  project: IS_BUNDLE ? null : PROJECT,
};

if (import.meta.main) Deno.exit(await main(Deno.args));
