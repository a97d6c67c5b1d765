import { foreignText } from "../client/foreign_text.ts";
import { secretsOf } from "../client/secrets.ts";
import { runAb } from "../run/ab.ts";
import { planScenarios } from "../run/plan.ts";
import {
  list,
  one,
  optionLines,
  optionsIn,
  parseSettings,
  type Place,
  readAll,
  type Settings,
} from "./command_line.ts";
import { readConfig } from "./config.ts";
import { proxyOf } from "./environment.ts";
import { measure, type Program, settingsOf } from "./measure.ts";
import { OPTION_GROUPS } from "./options.ts";
import { StartedServer } from "./started_server.ts";
import { UsageError } from "./usage_error.ts";
import { parseHeaders, parseWebSocketUrl } from "./values.ts";

const SIDES = optionsIn(`
  --a WS_URL                  the server to compare with
  --b WS_URL                  the server to judge
  --start-a CMD               starts a fresh A for each epoch; {port} becomes a free port
  --start-b CMD               the same for B
  --token-b TOKEN             B's token, if it differs
  --header-b 'K: V'           B's headers, instead of --header
`);
const READERS = {
  a: one("a", parseWebSocketUrl),
  b: one("b", parseWebSocketUrl),
  startA: one("start-a", ({ text }) => text),
  startB: one("start-b", ({ text }) => text),
  tokenB: one("token-b", ({ text }) => text),
  headersB: list("header-b", (givens) => givens.length === 0 ? null : parseHeaders(givens)),
};

/** Options of `bench` that make no sense here. */
const LEFT_OUT = new Set([
  ...["url", "list", "permissions", "open", "workers", "shard", "start-at", "baseline", "noise"],
]);
const GROUPS = [
  { title: "The two servers", options: SIDES },
  ...OPTION_GROUPS.map(({ title, options }) => ({
    title,
    options: options.filter(({ name }) => !LEFT_OUT.has(name)),
  })),
].filter(({ options }) => options.length > 0);

export const AB_USAGE = `Usage: deno task ab --a URL --b URL [options]
       deno task ab --start-a CMD --start-b CMD [options]

Measures two servers in one run, both in every block of every epoch, and judges B against A.
Exit code 5: B is slower than A by more than --band, or fails more often.

` + GROUPS.map(({ title, options }) => `${title}:\n${optionLines(options)}`).join("\n");

/**
 * Compares two servers, writes the reports and returns the exit code.
 *
 * @throws {UsageError} if an option is invalid or a server does not start
 * @throws {ReportWriteError} if the final write fails, after the result has been printed
 */
export async function ab(args: readonly string[], place: Place, program: Program): Promise<number> {
  const options = GROUPS.flatMap(({ options }) => options);
  const { settings } = parseSettings(args, place.env, { options });
  const own = await readAll(READERS, settings, place);
  const isStarted = startsServers(settings);
  const foreign = foreignText(givenSecrets(settings));
  const serverOf = (option: string, command: string | null) =>
    isStarted ? new StartedServer(option, command!, foreign) : null;
  await using startedA = serverOf("--start-a", own.startA);
  await using startedB = serverOf("--start-b", own.startB);
  const [urlA, urlB] = [startedA?.url ?? own.a!, startedB?.url ?? own.b!];
  const url = [{ source: "--a", text: urlA }];
  const config = await readConfig(new Map([...settings, ["url", url]]), place);
  // By default, only scenarios that have something to judge and do not overload the servers.
  const scenarios = program.scenarios.filter(({ gates = [], overloads }) =>
    config.scenarios !== null || (gates.length > 0 && !overloads)
  );
  const restart = async () => {
    await startedA?.restart();
    await startedB?.restart();
  };
  const start = isStarted ? restart : null;
  const reached = { ...config, url: urlA, baselines: [] };
  const a = await settingsOf(reached, program, ["ab", ...args], own.tokenB);
  const b = {
    ...a,
    url: urlB,
    proxy: proxyOf(urlB, place.env, config.insecure),
    token: own.tokenB ?? config.token,
    headers: own.headersB ?? config.headers,
  };
  return await measure(config, program, {
    planned: planScenarios(scenarios, config),
    servers: [a, b],
    start,
    run: (hooks) => runAb({ a, b }, { ...hooks, restart: start, bundled: null }),
  });
}

const PARTNERS: Readonly<Record<string, string>> = {
  ...{ "a": "b", "b": "a", "start-a": "start-b", "start-b": "start-a" },
};

/**
 * True if the servers are started by commands, false if both are running already.
 *
 * @throws {UsageError} if neither both commands nor both URLs are given
 */
function startsServers(settings: Settings): boolean {
  const names = ["a", "b", "start-a", "start-b"].filter((name) => settings.has(name));
  const given = names.map((name) => `--${name}`).join(" and ");
  if (given === "--a and --b") return false;
  if (given === "--start-a and --start-b") return true;
  const alone = names.length === 1 ? ` alone, without --${PARTNERS[names[0]!]}` : "";
  throw new UsageError(
    `Cannot compare two servers with ${given || "neither named"}${alone}: accepted are --a URL ` +
      "and --b URL, or --start-a CMD and --start-b CMD",
  );
}

/** Secrets that a started server could print: it sees the environment and its command line. */
function givenSecrets(settings: Settings): string[] {
  const textsOf = (...names: string[]) =>
    names.flatMap((name) => settings.get(name) ?? []).map(({ text }) => text);
  const reach = {
    url: "ws://localhost",
    token: textsOf("token").at(-1) ?? "",
    headers: Object.fromEntries(textsOf("header", "header-b").entries()),
    subprotocols: textsOf("subprotocol"),
  };
  return [...textsOf("token-b"), ...secretsOf(reach)];
}
