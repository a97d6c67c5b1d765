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
import { asksForHelp, type Place } from "./lib/cli/command_line.ts";
import { readCommand } from "./lib/cli/config.ts";
import { noProxyWithLoopback, readEnvFile } from "./lib/cli/environment.ts";
import { asInvoked, permissionsText } from "./lib/cli/invocation.ts";
import * as offline from "./lib/cli/offline_commands.ts";
import { USAGE } from "./lib/cli/options.ts";
import { listText } from "./lib/cli/plan.ts";
import { serve, SERVE_USAGE } from "./lib/cli/serve_command.ts";
import { defuseCommands, type Interrupt, type Terminal } from "./lib/cli/terminal.ts";
import { causeOf, closestTo, quoted, UsageError } from "./lib/cli/usage_error.ts";
import { WORKLOAD, workload } from "./lib/cli/workload_command.ts";
import { ReportWriteError } from "./lib/cli/write_reports.ts";
import { escapeTerminal } from "./lib/report/escape.ts";
import { EXIT } from "./lib/run/verdict.ts";
import { IS_BUNDLE } from "./lib/start_worker.ts";
import { IncomparableError } from "./lib/stats/comparability.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const PROJECT = new URL(".", import.meta.url);

/** A command other than `bench`, which is the default. */
interface Command {
  usage: string;
  connects?: boolean;
  run(args: readonly string[]): Promise<number>;
}

const COMMANDS = new Map(Object.entries<Command>({
  ab: { usage: AB_USAGE, connects: true, run: measuring(ab) },
  workload: { ...WORKLOAD, connects: true, run: measuring(workload) },
  serve: {
    usage: SERVE_USAGE,
    run: (args) => serve(args, { ...program, variables: variables("serve") }),
  },
  compare: { ...offline.COMPARE, run: printing(offline.runCompare) },
  merge: { ...offline.MERGE, run: printing(offline.runMerge) },
  report: { ...offline.REPORT, run: printing(offline.runReport) },
  calibrate: { ...offline.CALIBRATE, connects: true, run: printing(offline.runCalibrate) },
}));

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
  if (command === undefined || command.connects) {
    // Loopback bypasses any proxy. This must precede the first connection.
    const noProxy = noProxyWithLoopback(variables("bench"));
    if (noProxy !== null) Deno.env.set("NO_PROXY", noProxy);
  }
  if (command === undefined) {
    const meant = name.startsWith("-") ? null : closestTo(name, [...COMMANDS.keys()]);
    if (meant !== null) {
      throw new UsageError(`Unknown command ${quoted(name)}: did you mean deno task ${meant}?`);
    }
    return await runBench(args);
  }
  if (!asksForHelp(rest)) return await command.run(rest);
  terminal.print(command.usage);
  return EXIT.passed;
}

/** Runs the benchmark, or prints what an option such as `--help` asks for. */
async function runBench(args: readonly string[]): Promise<number> {
  const command = await readCommand({ args, ...await readPlace() });
  if (command.name === "bench") return await bench(command.config, { ...program, args });
  const texts = {
    help: () => USAGE,
    version: () => `${project.version}\n`,
    permissions: () => permissionsText(project),
    list: () => listText(SCENARIOS),
  };
  terminal.print(texts[command.name]());
  return EXIT.passed;
}

/** A command that measures servers. */
function measuring(run: typeof ab): Command["run"] {
  return async (args) => await run(args, await readPlace(), program);
}

/** A command that returns the text to print. */
function printing(run: typeof offline.runCompare): Command["run"] {
  return async (args) => {
    const style = terminal.style(!variable("NO_COLOR"));
    const { text, exitCode } = await run(args, { directory: workingDirectory(), ...style });
    terminal.print(text);
    return exitCode;
  };
}

/** The message for the user; rethrows unexpected errors. */
function messageOf(error: unknown, [name = ""]: readonly string[]): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof ReportWriteError) return error.message;
  if (error instanceof IncomparableError) return error.message;
  if (!(error instanceof Deno.errors.NotCapable)) throw error;
  // The command was started with the permissions of another task.
  const command = COMMANDS.has(name) ? name : "bench";
  const [requires = ""] = error.message.replace(/^Requires/, "requires").split(",");
  return `Cannot run ${command} here, as it ${requires}: start it with deno task ${command}`;
}

/** The folder that relative paths refer to: `deno task` changes to that of the project. */
function workingDirectory(): string {
  return variable("INIT_CWD") ?? Deno.cwd();
}

/** The context of a command line. The environment overrides the nearest `.env` file. */
async function readPlace(): Promise<Place> {
  const directory = workingDirectory();
  const files = [resolve(directory, ".env"), fileURLToPath(new URL(".env", PROJECT))];
  const { EXAI_WS_URL: url, ...found } = await readEnvFile(files);
  // The runtime takes its proxy from the environment only.
  const file = Object.entries(found).filter(([name]) => !/_proxy$/i.test(name));
  const own = variables("bench");
  const given = { ...Object.fromEntries(file), ...own };
  // A host or port in the environment wins over a URL in the file.
  const env = own.EXAI_WS_HOST || own.EXAI_WS_PORT ? given : { EXAI_WS_URL: url, ...given };
  const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));
  return { env, directory, vocabulary };
}

/** The environment variables that are set, of those that deno.json lets the command read. */
function variables(command: "bench" | "serve"): Record<string, string | undefined> {
  return Object.fromEntries(project.permissions[command].env.flatMap((name) => {
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
  printWarning: (message) => terminal.printError(`warning: ${message}\n`),
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
