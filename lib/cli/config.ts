/**
 * Turns settings into a valid configuration, or throws a UsageError that names the option, its value
 * and what is accepted.
 *
 * @module
 */

import { resolve } from "node:path";
import { MIN_TOKEN_LENGTH } from "../server/options.ts";
import { type Place, readAll, type Settings } from "./command_line.ts";
import { proxyOf, readCiSettings } from "./environment.ts";
import { readClientCert, refuseOwnFile } from "./files.ts";
import { findOpener } from "./open_page.ts";
import { OVERRIDES, SETTINGS } from "./options.ts";
import { noteUnusedShard } from "./shard_settings.ts";
import { unacceptable, UsageError } from "./usage_error.ts";

/** The validated settings of a run. */
export type Config = Awaited<ReturnType<typeof readConfig>>;

/** Turns raw settings into a valid configuration. */
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
  // Shards that share a folder must not overwrite each other's reports.
  const part = shard === null || shard.count === 1 ? "" : `/shard-${shard.index}-of-${shard.count}`;
  const outDirectory = resolve(directory, folder + part);
  await refuseOwnFile(page, outDirectory);
  return {
    ...config,
    seed: seed ?? 1,
    /** For `{unique}`: the seed if one was given, otherwise a new one for each run. */
    uniqueSeed: seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    /** The proxy on the way to the server, without its password; `null`: none. */
    proxy: url === null ? null : proxyOf(url, env, insecure),
    /** A warning if the environment defines a shard that was not asked for. */
    unusedShard: settings.has("shard") ? null : noteUnusedShard(env),
    outDirectory,
    /** The program that opens the page at the end; `null`: the page is not opened. */
    opener: settings.has("open") ? findOpener() : null,
    color: !settings.has("no-color"),
    ci: readCiSettings(env),
  };
}

type Combined = Awaited<ReturnType<typeof readAll<typeof SETTINGS>>> & {
  overrides: { payloadBytes: number | null };
};

/** Why the settings cannot be combined, although each is valid; `null` if they can. */
function problemOf(config: Combined, settings: Settings): string | null {
  const { url, protocol, ignoreFirst, precisionPercent, shard, workers } = config;
  const [token, named, maxTime] = ["token", "protocol", "max-time"]
    .map((name) => settings.get(name)?.at(-1));
  const isShard = shard !== null && shard.count > 1;
  // The bundled server speaks EXAI with a token, sends nothing unasked, and runs in this process.
  if (url === null && token !== undefined && token.text.length < MIN_TOKEN_LENGTH) {
    return `Cannot use ${token.source} for the bundled server: accepted are ${MIN_TOKEN_LENGTH} characters or more, ` +
      `as a shorter token switches authentication off; this one has ${token.text.length}`;
  }
  if (url === null && protocol !== "exai") {
    return unacceptable(named!, "exai for the bundled server, or any protocol with --url").message;
  }
  if (url === null && ignoreFirst > 0) {
    return `Cannot use --ignore-first "${ignoreFirst}" with the bundled server, which sends no greeting: ` +
      "accepted is 0, or another server with --url";
  }
  if (url === null && isShard) {
    return "Cannot take a share (--shard) without --url: each shard would start and measure its own server";
  }
  const whole = ["threshold", "baseline"].find((name) => isShard && settings.has(name));
  if (whole !== undefined) {
    return `Cannot use --${whole} with --shard, as it applies to the whole run: give it to deno task merge`;
  }
  if (maxTime !== undefined && precisionPercent === null) {
    return `Cannot use --max-time "${maxTime.text}" without --precision, which it limits: accepted is ` +
      "--precision PERCENT with it, or --epochs N instead";
  }
  if (precisionPercent !== null && (isShard || (workers !== null && workers !== 1))) {
    return `Cannot use --precision "${precisionPercent}" with --workers or --shard, whose parts must run ` +
      "the same epochs: accepted is --epochs N";
  }
  if (settings.has("open") && !config.formats.includes("html")) {
    return "Cannot use --open without a page: accepted is a --format that includes html";
  }
  return pingProblem(config);
}

/** MCP's `ping`, its default tool, takes no arguments, so a report must not name any. */
function pingProblem(
  { protocol, tool, toolArgsJson, overrides: { payloadBytes } }: Combined,
): string | null {
  if (protocol !== "mcp" || (tool ?? "ping") !== "ping") return null;
  const hasArguments = Object.keys(JSON.parse(toolArgsJson.replaceAll("{seq}", "0"))).length > 0;
  if (!hasArguments && !payloadBytes) return null;
  const option = hasArguments ? "--tool-args" : `--payload "${payloadBytes}"`;
  return `Cannot use ${option} with mcp's ping, which takes no arguments: name a --tool that does`;
}
