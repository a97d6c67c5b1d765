/**
 * `ab`: two servers measured in one run, and the verdict of each gate.
 *
 * @module
 */

import { systemClock } from "../client/clock.ts";
import { escapeTerminal } from "../report/escape.ts";
import { renderTerminalSummary } from "./write_reports.ts";
import { foreignText } from "../client/foreign_text.ts";
import { secretsOf } from "../client/secrets.ts";
import { maskCommand } from "./masked_command.ts";
import { runAb } from "../run/ab.ts";
import { waitForServer } from "../run/wait_for_server.ts";
import { readCommit } from "../run/environment.ts";
import type { Scenario } from "../run/scenario.ts";
import type { RunSettings } from "../run/settings.ts";
import { EXIT } from "../run/verdict.ts";
import { type BenchOptions, warnOfWay } from "./bench_command.ts";
import { type Config, type ConfigInput, readConfig } from "./config.ts";
import { tellGithub } from "./github_actions.ts";
import { invocation } from "./invocation.ts";
import { OPTION_GROUPS, OPTIONS, type OptionSpec } from "./options.ts";
import { asksForHelp, type Given, parseSettings } from "./parse.ts";
import { prepareOutput } from "./paths.ts";
import { proxyOf } from "./proxy.ts";
import { createProgress } from "./progress.ts";
import { ReportFolder, writtenText } from "./report_folder.ts";
import { StartedServer } from "./started_server.ts";
import { optionsText } from "./usage.ts";
import { UsageError } from "./usage_error.ts";
import { parseHeaders, parseWebSocketUrl } from "./values.ts";

const SIDES: readonly OptionSpec[] = [
  { name: "a", kind: "value", value: "WS_URL", help: "the server to compare with" },
  { name: "b", kind: "value", value: "WS_URL", help: "the server that is judged" },
  {
    name: "start-a",
    kind: "value",
    value: "CMD",
    help: "starts A, anew in each epoch; {port} becomes a free port",
  },
  { name: "start-b", kind: "value", value: "CMD", help: "the same for B" },
  { name: "token-b", kind: "value", value: "TOKEN", help: "of B, where it is another one" },
  { name: "header-b", kind: "list", value: "'K: V'", help: "of B, in place of --header" },
];

/** What has no place in such a run. */
const LEFT_OUT = new Set([
  "url",
  "list",
  "permissions",
  "open",
  "workers",
  "shard",
  "start-at",
  "baseline",
  "noise",
]);

const AB_OPTIONS = new Map(
  [...SIDES, ...OPTIONS.values()].filter(({ name }) => !LEFT_OUT.has(name))
    .map((option) => [option.name, option]),
);

const INTRODUCTION =
  `Measures two servers in one run, in every block of every epoch, and judges B against A.

Usage: deno task ab --a URL --b URL [options]
       deno task ab --start-a CMD --start-b CMD [options]

Exit code 5: B is slower than A by more than --band, or fails more often.`;

/**
 * Compares two servers, writes the reports, and gives the exit code.
 *
 * @throws {UsageError} if an option cannot be used, or a server does not start
 * @throws {ReportWriteError} if the last write fails, after the result has been printed
 */
export async function ab(
  args: readonly string[],
  input: Omit<ConfigInput, "args">,
  options: BenchOptions,
): Promise<number> {
  const { terminal } = options;
  if (asksForHelp(args)) {
    const groups = OPTION_GROUPS.map(({ title, options }) => ({
      title,
      options: options.filter(({ name }) => AB_OPTIONS.has(name)),
    })).filter((group) => group.options.length > 0);
    const all = [{ title: "The two servers", options: SIDES }, ...groups];
    terminal.print(`${INTRODUCTION}\n\n${optionsText(all)}\n`);
    return EXIT.passed;
  }
  const raw = parseSettings(args, input.env, { options: AB_OPTIONS, positionals: [] });
  const commands = started(raw.values);
  const foreign = foreignText(givenSecrets(raw));
  const start = (option: string, command: string) => new StartedServer(option, command, foreign);
  await using a = commands === null ? null : start("--start-a", commands.a);
  await using b = commands === null ? null : start("--start-b", commands.b);
  const urls = {
    a: a?.url ?? urlOf("a", raw.values),
    b: b?.url ?? urlOf("b", raw.values),
  };
  const values = new Map([...raw.values, ["url", { source: "--a", text: urls.a }]]);
  const config = await readConfig({ ...raw, values }, { ...input, args });
  warnOfWay(config, terminal.printWarning);
  await prepareOutput(config.outDirectory);
  const interrupt = options.interrupt("writing what was measured so far");
  const restart = a === null || b === null ? null : async () => {
    await a.restart();
    await b.restart();
  };
  await restart?.();
  const settings = await settingsOf(config, { raw, urls, args, options, env: input.env });
  const folder = new ReportFolder(config.outDirectory, config.formats);
  using progress = createProgress({
    write: config.quiet ? () => {} : terminal.printError,
    live: terminal.isLive && !config.quiet && !config.ci.plain,
    color: config.color,
    width: terminal.width,
    clock: systemClock,
  });
  for (const side of [settings.a, settings.b]) {
    await waitForServer(side, {
      signal: interrupt.signal,
      onProgress: (text) => config.quiet || terminal.printError(`${escapeTerminal(text)}\n`),
    });
  }
  const report = await runAb(settings, {
    scenarios: options.scenarios.filter(isComparable(config)),
    restart,
    bundled: null,
    signal: interrupt.signal,
    onWarning: (message) => terminal.printWarning(escapeTerminal(message)),
    onProgress: (how) => progress.show(how),
    // Errors are ignored here; the final write reports them.
    onPartialReport: (partial) => folder.write(partial, { draws: false }).then(() => {}, () => {}),
  });
  progress[Symbol.dispose]();
  terminal.print(renderTerminalSummary(report, terminal.style(config.color)));
  await tellGithub(report, { ...config, ...terminal });
  terminal.print(writtenText(await folder.write(report, { page: config.page })));
  const { exitCode } = report.verdict;
  return exitCode === EXIT.interrupted ? interrupt.exitCode ?? exitCode : exitCode;
}

/** Unless they are named, only scenarios that have something to judge, and do no harm on the way. */
function isComparable({ scenarios }: Config): (scenario: Scenario) => boolean {
  return ({ gates = [], overloads }) => scenarios !== null || (gates.length > 0 && !overloads);
}

/** The commands that start the servers; `null`: they run already. */
function started(values: ReadonlyMap<string, Given>): { a: string; b: string } | null {
  const [a, b] = [values.get("start-a"), values.get("start-b")];
  if (a === undefined && b === undefined) return null;
  const url = ["a", "b"].find((name) => values.has(name));
  if (a === undefined || b === undefined || url !== undefined) {
    throw new UsageError(
      `Cannot use ${a === undefined ? "--start-b" : "--start-a"} ${
        url === undefined ? "alone" : `with --${url}`
      }: accepted are --start-a and --start-b, or --a and --b`,
    );
  }
  return { a: a.text, b: b.text };
}

/** What a server that is started may repeat: it has the environment, and perhaps the token in its command. */
function givenSecrets({ values, lists }: ReturnType<typeof parseSettings>): string[] {
  const headers = ["header", "header-b"].flatMap((name) => lists.get(name) ?? []);
  const tokens = ["token", "token-b"].map((name) => values.get(name)?.text ?? "");
  const subprotocols = (lists.get("subprotocol") ?? []).map(({ text }) => text);
  const [token = "", tokenB = ""] = tokens;
  return [
    tokenB,
    ...secretsOf({
      url: "ws://localhost",
      token,
      headers: Object.fromEntries(headers.map(({ text }, index) => [index, text])),
      subprotocols,
    }),
  ];
}

function urlOf(name: "a" | "b", values: ReadonlyMap<string, Given>): string {
  const given = values.get(name);
  if (given !== undefined) return parseWebSocketUrl(given);
  throw new UsageError(
    `Cannot compare two servers without --${name}: accepted are --a and --b with a WebSocket URL each, or ` +
      "--start-a and --start-b with a command each",
  );
}

async function settingsOf(
  config: Config,
  { raw: { values, lists }, urls, args, options: { suite, project }, env }: {
    raw: ReturnType<typeof parseSettings>;
    urls: { a: string; b: string };
    args: readonly string[];
    options: BenchOptions;
    env: ConfigInput["env"];
  },
): Promise<{ a: RunSettings; b: RunSettings }> {
  const tokenB = values.get("token-b")?.text ?? config.token;
  const a: RunSettings = {
    ...config,
    url: urls.a,
    baselines: [],
    suite: { ...suite, commit: await readCommit(project) },
    command: maskCommand([...invocation("ab"), ...args], [config.token, tokenB]),
  };
  const headers = lists.get("header-b");
  return {
    a,
    b: {
      ...a,
      url: urls.b,
      proxy: proxyOf(urls.b, env, config.insecure),
      token: tokenB,
      headers: headers === undefined ? config.headers : parseHeaders(headers),
    },
  };
}
