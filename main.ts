/**
 * The only entry: arguments and environment to a command, and what it prints, its signals and its exit code.
 * No other module has to do with the process.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import project from "./deno.json" with { type: "json" };
import { ab } from "./lib/cli/ab_command.ts";
import { bench } from "./lib/cli/bench_command.ts";
import { COMMANDS } from "./lib/cli/commands.ts";
import { readCommand } from "./lib/cli/config.ts";
import { readEnvFile } from "./lib/cli/env_file.ts";
import { defuseCommands } from "./lib/cli/github_actions.ts";
import { asInvoked, permissionsText } from "./lib/cli/invocation.ts";
import { listText } from "./lib/cli/listing.ts";
import { resolvePath } from "./lib/cli/paths.ts";
import { noProxyWithLoopback } from "./lib/cli/proxy.ts";
import { serve } from "./lib/cli/serve_command.ts";
import type { Interrupt, Terminal } from "./lib/cli/terminal.ts";
import { usageText } from "./lib/cli/usage.ts";
import { causeOf, UsageError } from "./lib/cli/usage_error.ts";
import { escapeTerminal } from "./lib/report/escape.ts";
import { ReportWriteError } from "./lib/cli/write_reports.ts";
import { workload } from "./lib/cli/workload_command.ts";
import { EXIT } from "./lib/run/verdict.ts";
import { IS_BUNDLE } from "./lib/start_worker.ts";
import { IncomparableError } from "./lib/stats/comparability.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const PROJECT = new URL(".", import.meta.url);
/** Errors that are reported in one line: the person can do something about them. */
const EXPECTED_ERRORS = [UsageError, ReportWriteError, IncomparableError];

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

/** Runs a command line, and gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const exitCode = await run(args);
    if (unwritten === null) return exitCode;
    throw new ReportWriteError(`Cannot write to standard output: ${unwritten}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return reportError(permissionError(error, args));
    if (!EXPECTED_ERRORS.some((expected) => error instanceof expected)) throw error;
    return reportError((error as Error).message);
  }
}

/** A command of another task was started by this one. */
function permissionError({ message }: Error, [name = ""]: readonly string[]): string {
  const command = ["serve", "ab", ...COMMANDS.keys()].includes(name) ? name : "bench";
  const [requires = ""] = message.replace(/^Requires/, "requires").split(",");
  return `Cannot run ${command} here, as it ${requires}: accepted is deno task ${command}`;
}

function reportError(message: string): number {
  terminal.printError(`error: ${message.split("\n").map(escapeTerminal).join("\n")}\n`);
  return EXIT.usage;
}

async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "serve") return await serve(rest, { ...program, variables: variables("serve") });
  if (name === "calibrate" || !COMMANDS.has(name)) bypassProxyOnLoopback();
  if (name === "ab") return await ab(rest, await readInput(), program);
  if (name === "workload") return await workload(rest, await readInput(), program);
  const command = COMMANDS.get(name);
  if (command === undefined) return await benchOrHelp(args);
  const style = terminal.style(!variable("NO_COLOR"));
  const outcome = await command(rest, { directory: workingDirectory(), ...style });
  terminal.print(outcome.text);
  return outcome.exitCode;
}

/** What a command line is read with. */
async function readInput() {
  const directory = workingDirectory();
  const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));
  return { env: await readEnvironment(directory), directory, vocabulary };
}

/** Runs the benchmark, or prints what the command line asks for. */
async function benchOrHelp(args: readonly string[]): Promise<number> {
  const command = await readCommand({ args, ...await readInput() });
  switch (command.name) {
    case "help":
      terminal.print(`${usageText()}\n`);
      return EXIT.passed;
    case "version":
      terminal.print(`${project.version}\n`);
      return EXIT.passed;
    case "permissions":
      terminal.print(permissionsText(project));
      return EXIT.passed;
    case "list":
      terminal.print(listText(SCENARIOS));
      return EXIT.passed;
    case "bench":
      return await bench(command.config, { ...program, args });
    default:
      return command satisfies never;
  }
}

/** deno task runs in the project's folder; people's paths are relative to where they called it. */
function workingDirectory(): string {
  return variable("INIT_CWD") ?? Deno.cwd();
}

/** The environment, over the nearest `.env` file. */
async function readEnvironment(directory: string): Promise<Record<string, string | undefined>> {
  const files = [resolvePath(directory, ".env"), fileURLToPath(new URL(".env", PROJECT))];
  const { EXAI_WS_URL: url, ...found } = await readEnvFile(files);
  // The runtime takes a proxy from the environment alone.
  const file = Object.fromEntries(
    Object.entries(found).filter(([name]) => !/_proxy$/i.test(name)),
  );
  const env = variables("bench");
  // A server named by host and port in the environment wins over the URL of the file.
  const named = env.EXAI_WS_HOST || env.EXAI_WS_PORT;
  return { ...(named ? {} : { EXAI_WS_URL: url }), ...file, ...env };
}

/** The variables that are set, of those that deno.json lets a command read. */
function variables(command: "bench" | "serve"): Record<string, string | undefined> {
  return Object.fromEntries(project.permissions[command].env.flatMap((name) => {
    const value = variable(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** Before the first connection: see lib/cli/proxy.ts. */
function bypassProxyOnLoopback(): void {
  const noProxy = noProxyWithLoopback(variables("bench"));
  if (noProxy !== null) Deno.env.set("NO_PROXY", noProxy);
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
