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
import { startedServer } from "./started_server.ts";
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
  // The address of a started server is not known yet.
  const url = own.a ?? "ws://127.0.0.1";
  const urlSetting = [{ source: "--a", text: url }];
  const config = await readConfig(new Map([...settings, ["url", urlSetting]]), place);
  const ofB = {
    token: own.tokenB ?? config.token,
    headers: own.headersB ?? config.headers,
  };
  // A started server sees the environment and its command line, and could print them.
  const foreign = foreignText([config, { ...config, ...ofB }]
    .flatMap((side) => secretsOf({ ...side, url })));
  const serverOf = (option: string, command: string | null) =>
    isStarted ? startedServer(option, command!, foreign) : null;
  await using startedA = serverOf("--start-a", own.startA);
  await using startedB = serverOf("--start-b", own.startB);
  // By default, only scenarios that have something to judge and do not overload the servers.
  const scenarios = program.scenarios.filter(({ gates = [], overloads }) =>
    config.scenarios !== null || (gates.length > 0 && !overloads)
  );
  const restart = async (signal: AbortSignal) => {
    await startedA?.restart(signal);
    await startedB?.restart(signal);
  };
  const reached = { ...config, url: startedA?.url ?? url, baselines: [] };
  const a = await settingsOf(reached, program, ["ab", ...args], own.tokenB);
  const urlB = startedB?.url ?? own.b!;
  const b = { ...a, ...ofB, url: urlB, proxy: proxyOf(urlB, place.env, config.insecure) };
  return await measure(config, program, {
    planned: planScenarios(scenarios, config),
    servers: [a, b],
    start: isStarted ? restart : null,
    run: (hooks) =>
      runAb({ a, b }, {
        ...{ ...hooks, bundled: null },
        restart: isStarted ? () => restart(hooks.signal) : null,
      }),
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
