/**
 * From a command line and the environment to a valid configuration. What cannot be used throws a UsageError that names
 * the option, its value and what is accepted.
 *
 * @module
 */

import { resolve } from "node:path";
import { MIN_TOKEN_LENGTH } from "../server/options.ts";
import { parseSettings, type Place, readAll, type Settings } from "./command_line.ts";
import { proxyOf, readCiSettings } from "./environment.ts";
import { readClientCert, refuseOwnFile } from "./files.ts";
import { findOpener } from "./open_page.ts";
import { OPTIONS, OVERRIDES, SETTINGS } from "./options.ts";
import { noteUnusedShard } from "./shard_settings.ts";
import { unacceptable, UsageError } from "./usage_error.ts";

/** Everything that a run is told, valid. */
export type Config = Awaited<ReturnType<typeof readConfig>>;

/** What a command line asks for. */
export type Command =
  | { name: typeof FLAG_COMMANDS[number] }
  | { name: "bench"; config: Config };

const FLAG_COMMANDS = ["help", "version", "permissions", "list"] as const;

/** Reads the command line of `bench`. */
export async function readCommand(
  { args, ...place }: Place & { args: readonly string[] },
): Promise<Command> {
  const { settings } = parseSettings(args, place.env, { options: [...OPTIONS.values()] });
  const asked = FLAG_COMMANDS.find((name) => settings.has(name));
  return asked === undefined
    ? { name: "bench", config: await readConfig(settings, place) }
    : { name: asked };
}

/** Reads what was given into a valid configuration. */
export async function readConfig(settings: Settings, place: Place) {
  const { env, directory } = place;
  const read = await readAll(SETTINGS, settings, place);
  const overrides = await readAll(OVERRIDES, settings, place);
  const clientCert = await readClientCert(settings, place);
  const config = { ...read, overrides, clientCert };
  const problem = problemOf(config, settings);
  if (problem !== null) throw new UsageError(problem);
  const { url, insecure, seed, shard, page } = config;
  const folder = settings.get("out")?.at(-1)?.text ?? "reports";
  // Shards that are given the same folder must not write over each other.
  const part = shard === null || shard.count === 1 ? "" : `/shard-${shard.index}-of-${shard.count}`;
  const outDirectory = resolve(directory, folder + part);
  await refuseOwnFile(page, outDirectory);
  return {
    ...config,
    seed: seed ?? 1,
    /** For `{unique}`: the seed where one was given, else another one each time. */
    uniqueSeed: seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    /** The environment's, as far as it is used; without its password. */
    proxy: url === null ? null : proxyOf(url, env, insecure),
    /** What to say of a share that the environment names and nobody asked for; `null`: nothing. */
    unusedShard: settings.has("shard") ? null : noteUnusedShard(env),
    outDirectory,
    /** The program that opens the page at the end; `null`: none does. */
    opener: settings.has("open") ? findOpener() : null,
    color: !settings.has("no-color"),
    ci: readCiSettings(env),
  };
}

type Combined = Awaited<ReturnType<typeof readAll<typeof SETTINGS>>> & {
  overrides: { payloadBytes: number | null };
};

/** Why settings cannot be used together that can each by itself; `null`: they can. */
function problemOf(config: Combined, settings: Settings): string | null {
  const { url, protocol, ignoreFirst, precisionPercent, shard, workers } = config;
  const [token, named, maxTime] = ["token", "protocol", "max-time"]
    .map((name) => settings.get(name)?.at(-1));
  const isShard = shard !== null && shard.count > 1;
  // The bundled server speaks EXAI with a token, sends nothing unasked, and is one for each process.
  if (url === null && token !== undefined && token.text.length < MIN_TOKEN_LENGTH) {
    return `Cannot use ${token.source} for the bundled server: accepted are ${MIN_TOKEN_LENGTH} characters ` +
      `or more, as a shorter token switches authentication off; this one has ${token.text.length}`;
  }
  if (url === null && protocol !== "exai") {
    return unacceptable(named!, "exai for the bundled server, or any of them with --url").message;
  }
  if (url === null && ignoreFirst > 0) {
    return `Cannot use --ignore-first "${ignoreFirst}" with the bundled server, which sends nothing ` +
      "unasked: accepted is 0, or another server with --url";
  }
  if (url === null && isShard) {
    return "Cannot take a share (--shard) without --url: every shard would start a server of its own, and " +
      "measure that";
  }
  const whole = ["threshold", "baseline"].find((name) => isShard && settings.has(name));
  if (whole !== undefined) {
    return `Cannot use --${whole} with a share: it is for the whole run, so give it to deno task merge`;
  }
  if (maxTime !== undefined && precisionPercent === null) {
    return `Cannot use --max-time "${maxTime.text}" without --precision, which it bounds: accepted is ` +
      "--precision PERCENT beside it, or --epochs N";
  }
  if (precisionPercent !== null && (isShard || (workers !== null && workers !== 1))) {
    return `Cannot use --precision "${precisionPercent}" with --workers or --shard, whose parts must run ` +
      "the same epochs: accepted is --epochs N";
  }
  if (settings.has("open") && !config.formats.includes("html")) {
    return "Cannot use --open without a page: accepted is html among the --format";
  }
  return pingProblem(config);
}

/** MCP's `ping`, which is called where no tool is named, takes nothing: a report must not name what is not sent. */
function pingProblem(
  { protocol, tool, toolArgsJson, overrides: { payloadBytes } }: Combined,
): string | null {
  if (protocol !== "mcp" || (tool ?? "ping") !== "ping") return null;
  const hasArguments = Object.keys(JSON.parse(toolArgsJson.replaceAll("{seq}", "0"))).length > 0;
  if (!hasArguments && !payloadBytes) return null;
  const option = hasArguments ? "--tool-args" : `--payload "${payloadBytes}"`;
  return `Cannot use ${option} with mcp's ping, which takes no arguments: name a --tool that does`;
}
