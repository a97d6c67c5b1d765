import { resolve } from "node:path";
import { ConnectError } from "../client/connect_error.ts";
import { systemClock } from "../client/clock.ts";
import { explainDial } from "../client/dial_cause.ts";
import { Target } from "../client/target.ts";
import { PROTOCOLS } from "../protocols/mod.ts";
import { escapeTerminal } from "../report/escape.ts";
import { connectAdvice } from "../run/connect_advice.ts";
import { TargetUnusableError } from "../run/scenario.ts";
import { listTools } from "../run/tool_list.ts";
import { waitForServer } from "../run/wait_for_server.ts";
import { EXIT } from "../run/verdict.ts";
import { grammarOf, optionsIn, parseSettings, type Place } from "./command_line.ts";
import { readConfig } from "./config.ts";
import { type Program, settingsOf, warnOfWay } from "./measure.ts";
import { optionsNamed } from "./options.ts";
import { didYouMean, type Given, unacceptable, UsageError } from "./usage_error.ts";
import { readUrl } from "./values.ts";
import { writeWhole } from "./whole_files.ts";
import { draftWorkload } from "./workload_draft.ts";
import { TOOL_NAME } from "./workload_file.ts";

export const WORKLOAD = grammarOf(
  `Usage: deno task workload --url WS_URL [options] > workload.yaml

Drafts a workload file (docs/workloads.md) from the tools that a server lists. No tool is called.
The draft contains the tools marked as read-only, or those that you name.`,
  [
    ...optionsIn(`  --tool NAME  a tool to call; repeatable (default: those marked as read-only)
  --out FILE  default: standard output`),
    ...optionsIn("  --url WS_URL  the server (or EXAI_WS_HOST and EXAI_WS_PORT) [EXAI_WS_URL]"),
    ...optionsNamed("token", "protocol", "header", "subprotocol", "ignore-first"),
    ...optionsNamed("ca-cert", "client-cert", "client-key", "insecure", "wait", "timeout", "help"),
  ],
);

/**
 * Drafts the file, prints or writes it, and returns the exit code.
 *
 * @throws {UsageError} if an option is invalid, or no tool is named or marked as read-only
 * @throws {ReportWriteError} if the file cannot be written
 */
export async function workload(
  args: readonly string[],
  place: Place,
  program: Program,
): Promise<number> {
  const { terminal } = program;
  const { settings: given } = parseSettings(args, place.env, WORKLOAD);
  const url = readUrl(given.get("url")?.at(-1), place.env);
  if (url === null) {
    throw new UsageError("Cannot draft a workload without a server: accepted is --url WS_URL");
  }
  const config = await readConfig(given, place);
  const settings = await settingsOf({ ...config, url }, program, ["workload", ...args]);
  warnOfWay([config], terminal.printWarning);
  const interrupt = program.interrupt("no draft is made");
  const { signal } = interrupt;
  try {
    await waitForServer(settings, {
      signal,
      onProgress: (text) => terminal.printError(`${escapeTerminal(text)}\n`),
    });
    const { shard: _, timeoutMs, ...reach } = settings;
    const protocol = PROTOCOLS[config.protocol];
    using target = new Target({ ...reach, timeoutMs, protocol, signal, clock: systemClock });
    if (protocol.encodeListTools("0") === null) {
      throw new TargetUnusableError(`The ${protocol.name} protocol has no list of tools.`);
    }
    const list = await listTools(target, { waitMs: timeoutMs }).catch(async (error) => {
      if (!(error instanceof ConnectError)) throw error;
      throw new TargetUnusableError(connectAdvice(await explainDial(error, target), target));
    });
    if (list.status !== "listed") {
      const why = {
        none: "The server says it has no tools.",
        late: `The server did not list its tools within ${timeoutMs / 1000} s.`,
        closed: "The server closed the connection instead of listing its tools.",
      };
      throw new TargetUnusableError(why[list.status]);
    }
    const known = list.tools.filter(({ name }) => TOOL_NAME.test(name));
    const draft = draftWorkload(chosen(known, given.get("tool") ?? []));
    const text = target.foreign(draft, Infinity);
    const out = given.get("out")?.at(-1);
    if (out === undefined) terminal.print(text);
    else {
      const path = resolve(place.directory, out.text);
      await writeWhole([{ path, content: text }]);
      terminal.print(`Drafted; review it before a run with --workload:\n  ${path}\n`);
    }
    return EXIT.passed;
  } catch (error) {
    if (!(error instanceof TargetUnusableError)) throw error;
    terminal.printError(`error: ${escapeTerminal(error.message)}\n`);
    return interrupt.exitCode ?? EXIT.targetUnusable;
  }
}

/** The named tools, without duplicates; by default, those marked as read-only. */
function chosen<T extends { name: string; isReadOnly: boolean }>(
  listed: readonly T[],
  named: readonly Given[],
): T[] {
  const names = listed.map(({ name }) => name);
  const tools = named.map((given) => {
    const tool = listed.find(({ name }) => name === given.text);
    if (tool !== undefined) return tool;
    const advice = didYouMean(given.text, names);
    throw unacceptable(given, `one of the server's tools${advice}: ${shown(names)}`);
  });
  if (tools.length > 0) return [...new Set(tools)];
  const readOnly = listed.filter(({ isReadOnly }) => isReadOnly);
  if (readOnly.length > 0) return readOnly;
  throw new UsageError(
    "Cannot draft a workload as the server marks no tool as read-only (readOnlyHint): accepted is " +
      `--tool NAME for each tool that may be called, of ${shown(names)}`,
  );
}

const SHOWN_NAMES = 30;

function shown(names: readonly string[]): string {
  const more = names.length - SHOWN_NAMES;
  return names.slice(0, SHOWN_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
