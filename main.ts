/**
 * The only entry: arguments and environment to a command, and what it prints, its signals and its exit code.
 * No other module has to do with the process.
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
import { causeOf, UsageError } from "./lib/cli/usage_error.ts";
import { WORKLOAD, workload } from "./lib/cli/workload_command.ts";
import { ReportWriteError } from "./lib/cli/write_reports.ts";
import { escapeTerminal } from "./lib/report/escape.ts";
import { EXIT } from "./lib/run/verdict.ts";
import { IS_BUNDLE } from "./lib/start_worker.ts";
import { IncomparableError } from "./lib/stats/comparability.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const PROJECT = new URL(".", import.meta.url);

const terminal: Terminal = {
  print: (text) => writeAll(Deno.stdout, defuseCommands(asInvoked(text))),
  printError: (text) => writeAll(Deno.stderr, defuseCommands(asInvoked(text))),
  printWarning: (message) => terminal.printError(`warning: ${message}\n`),
  printCommands: (text) => writeAll(Deno.stdout, text),
  isLive: Deno.stderr.isTerminal(),
  // Some terminals report no columns.
  width: () => Deno.consoleSize().columns || 80,
  style: (color) => {
    const isWindow = Deno.stdout.isTerminal();
    return { color: color && isWindow, width: isWindow ? terminal.width() : 100 };
  },
};

/** A command beside bench: its help text, and how it runs. */
interface Command {
  usage: string;
  /** Does it connect to a server? */
  connects: boolean;
  run(args: readonly string[]): Promise<number>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map(Object.entries(
  {
    ab: { usage: AB_USAGE, connects: true, run: measuring(ab) },
    workload: { ...WORKLOAD, connects: true, run: measuring(workload) },
    serve: {
      usage: SERVE_USAGE,
      connects: false,
      run: (args) => serve(args, { ...program, variables: variables("serve") }),
    },
    compare: { ...offline.COMPARE, connects: false, run: printing(offline.runCompare) },
    merge: { ...offline.MERGE, connects: false, run: printing(offline.runMerge) },
    report: { ...offline.REPORT, connects: false, run: printing(offline.runReport) },
    calibrate: { ...offline.CALIBRATE, connects: true, run: printing(offline.runCalibrate) },
  } satisfies Record<string, Command>,
));

function measuring(run: typeof ab): Command["run"] {
  return async (args) => await run(args, await readPlace(), program);
}

/** A command that gives back what to print. */
function printing(run: typeof offline.runCompare): Command["run"] {
  return async (args) => {
    const style = terminal.style(!variable("NO_COLOR"));
    const { text, exitCode } = await run(args, { directory: workingDirectory(), ...style });
    terminal.print(text);
    return exitCode;
  };
}

/** Runs a command line, and gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const exitCode = await run(args);
    if (unwritten === null) return exitCode;
    throw new ReportWriteError(`Cannot write to standard output: ${unwritten}`);
  } catch (error) {
    const lines = messageOf(error, args).split("\n").map(escapeTerminal);
    terminal.printError(`error: ${lines.join("\n")}\n`);
    return EXIT.usage;
  }
}

/** What is reported of an error; throws one that nobody can do anything about. */
function messageOf(error: unknown, [name = ""]: readonly string[]): string {
  const isExpected = [UsageError, ReportWriteError, IncomparableError]
    .some((expected) => error instanceof expected);
  if (isExpected) return (error as Error).message;
  if (!(error instanceof Deno.errors.NotCapable)) throw error;
  // A command of another task was started by this one.
  const command = COMMANDS.has(name) ? name : "bench";
  const [requires = ""] = error.message.replace(/^Requires/, "requires").split(",");
  return `Cannot run ${command} here, as it ${requires}: accepted is deno task ${command}`;
}

async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const command = COMMANDS.get(name);
  if (command?.connects !== false) {
    // Before the first connection: see lib/cli/environment.ts.
    const noProxy = noProxyWithLoopback(variables("bench"));
    if (noProxy !== null) Deno.env.set("NO_PROXY", noProxy);
  }
  if (command === undefined) return await benchOrTell(args);
  if (!asksForHelp(rest)) return await command.run(rest);
  terminal.print(command.usage);
  return EXIT.passed;
}

/** Runs the benchmark, or prints what the command line asks for. */
async function benchOrTell(args: readonly string[]): Promise<number> {
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

/** deno task runs in the project's folder; people's paths are relative to where they called it. */
function workingDirectory(): string {
  return variable("INIT_CWD") ?? Deno.cwd();
}

/** What a command line is read with: the environment, over the nearest `.env` file, and the scenarios. */
async function readPlace(): Promise<Place> {
  const directory = workingDirectory();
  const files = [resolve(directory, ".env"), fileURLToPath(new URL(".env", PROJECT))];
  const { EXAI_WS_URL: url, ...found } = await readEnvFile(files);
  // The runtime takes a proxy from the environment alone.
  const file = Object.entries(found).filter(([name]) => !/_proxy$/i.test(name));
  const own = variables("bench");
  const given = { ...Object.fromEntries(file), ...own };
  // A server named by host and port in the environment wins over the URL of the file.
  const env = own.EXAI_WS_HOST || own.EXAI_WS_PORT ? given : { EXAI_WS_URL: url, ...given };
  const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));
  return { env, directory, vocabulary };
}

/** The variables that are set, of those that deno.json lets a command read. */
function variables(command: "bench" | "serve"): Record<string, string | undefined> {
  return Object.fromEntries(project.permissions[command].env.flatMap((name) => {
    const value = variable(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** @throws {UsageError} without its value, which may be secret, if it is no text */
function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    throw new UsageError(`Cannot use ${name}: accepted is text in UTF-8`);
  }
}

/** Why standard output did not take all of the result; `null`: it did. The reports are still to be written then. */
let unwritten: string | null = null;

/** A pipe may take less than it is given. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    // Nobody reads any more, as after `| head`: the exit code is still to come.
    if (error instanceof Deno.errors.BrokenPipe) return;
    // Of what standard error does not take, nothing can be said.
    if (stream === Deno.stdout) unwritten ??= causeOf(error);
  }
}

/** Within this time a second signal is the same Ctrl-C, which reaches the program twice. */
const SAME_SIGNAL_MS = 1_000;

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
    terminal.printError(`\nInterrupted: ${doing} (once more to quit at once)\n`);
    controller.abort(new Error("interrupted"));
  };
  Deno.addSignalListener("SIGINT", onSignal(EXIT.interrupted));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal(143));
  return interrupt;
}

/** What every command that measures is given. */
const program = {
  terminal,
  interrupt: listenForInterrupts,
  scenarios: SCENARIOS,
  workerModule: new URL("scenarios/worker.ts", import.meta.url),
  suite: { name: project.name, version: project.version },
  project: IS_BUNDLE ? null : PROJECT,
};

if (import.meta.main) Deno.exit(await main(Deno.args));
