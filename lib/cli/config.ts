import type { ProtocolName, Report, ShardPlace } from "../schema.ts";
import {
  parseThreshold,
  type Threshold,
  ThresholdError,
  type ThresholdVocabulary,
} from "../stats/thresholds.ts";
import { NO_DELAY, type NoDelay } from "../client/relay.ts";
import { ARRIVALS } from "../load/schedule.ts";
import type { SessionSpec } from "../load/session.ts";
import { parseStages, STAGES_SYNTAX } from "../load/stages.ts";
import { PROFILE_NAMES, type ProfileName } from "../run/scenario.ts";
import { REPORT_FORMATS, type ReportFormat } from "./write_reports.ts";
import { EXPECTED_LIMITS_SYNTAX, parseExpectedLimits } from "../run/expected_limits.ts";
import type { Overrides } from "../run/plan.ts";
import { type CiSettings, readCiSettings } from "./ci_settings.ts";
import {
  readBaselines,
  readCaCert,
  readClientCert,
  readPagePath,
  readToolArgs,
  refuseOwnFile,
} from "./files.ts";
import type { HeavyToolSpec } from "../run/heavy_tools.ts";
import { type Given, parseSettings, type RawSettings } from "./parse.ts";
import { findOpener } from "./open_page.ts";
import { resolvePath } from "./paths.ts";
import { readProtocol, readToken, readUrl, refuseArgumentsOfPing } from "./target_settings.ts";
import { proxyOf } from "./proxy.ts";
import { noteUnusedShard, readShard, readStartAt, readWorkers } from "./shard_settings.ts";
import { UsageError } from "./usage_error.ts";
import { readHeavyTools, readWorkload } from "./workload_file.ts";
import {
  parseDuration,
  parseHeaders,
  parseName,
  parseNames,
  parseNumber,
  unacceptable,
} from "./values.ts";

/** Everything that a run is told, valid. */
export interface Config {
  /** `null`: the bundled reference server. */
  url: string | null;
  token: string | null;
  protocol: ProtocolName;
  /** `null`: the protocol's own. */
  tool: string | null;
  /** JSON text, possibly with `{seq}` and `{unique}` in it. */
  toolArgsJson: string;
  /** `null`: the bundled server's own; on an external one, none. */
  heavyTools: HeavyToolSpec[] | null;
  /** What sessions do; `null`: they call the light tool. */
  workload: SessionSpec | null;
  /** More calls of heavy tools than this are not planned. */
  maxHeavyCalls: number;
  headers: Record<string, string>;
  subprotocols: string[];
  /** Frames of each connection that are left out. */
  ignoreFirst: number;
  /** PEM text. */
  caCert: string | null;
  /** PEM texts. */
  clientCert: { cert: string; key: string } | null;
  /** Takes any certificate. */
  insecure: boolean;
  /** The environment's, as far as it is used; without its password. */
  proxy: string | null;
  /** How long to wait for a server that is still starting. */
  waitMs: number;
  /** `null`: those of the profile. */
  scenarios: string[] | null;
  profile: ProfileName;
  /** `null`: as many as the profile says. */
  epochs: number | null;
  precisionPercent: number | null;
  maxTimeMs: number;
  overrides: Overrides;
  timeoutMs: number;
  noDelay: NoDelay;
  maxRatePerSecond: number | null;
  /** Runs into the server's rate limits. */
  ignoreLimits: boolean;
  seed: number;
  /** For `{unique}`: the seed where one was given, else another one each time. */
  uniqueSeed: number;
  /** Calls per second of the user's own unit tests; `null`: measure the in-process one. */
  unitBaselinePerSecond: number | null;
  thresholds: Threshold[];
  /** Earlier reports to compare with. */
  baselines: Report[];
  /** `null`: learned from the baselines. */
  noisePercent: number | null;
  bandPercent: number;
  force: boolean;
  strict: boolean;
  /** Which share of the run to take; `null`: all of it. */
  shard: ShardPlace | null;
  /** What to say of a share that the environment names and nobody asked for; `null`: nothing. */
  unusedShard: string | null;
  /** When the measured phase begins, in unix milliseconds; `null`: when it can. */
  startAtMs: number | null;
  /** Event loops on this machine; `null`: one. */
  workers: number | "auto" | null;
  /** An absolute path; that of a shard is its own. */
  outDirectory: string;
  formats: ReportFormat[];
  /** A page to fill between its marks: an absolute path; `null`: none. */
  page: string | null;
  /** The program that opens the page at the end; `null`: none does. */
  opener: string | null;
  quiet: boolean;
  color: boolean;
  ci: CiSettings;
}

/** What a command line asks for. */
export type Command =
  | { name: typeof FLAG_COMMANDS[number] }
  | { name: "bench"; config: Config };

/** What the command line is read with. */
export interface ConfigInput {
  args: readonly string[];
  /** The environment, over the `.env` file. */
  env: Readonly<Record<string, string | undefined>>;
  /** What people's paths are relative to. */
  directory: string;
  /** The scenarios that there are, with their metrics. */
  vocabulary: ThresholdVocabulary;
}

const MAX_SEED = 2 ** 32 - 1;

const FLAG_COMMANDS = ["help", "version", "permissions", "list"] as const;

/**
 * Reads the command line and the environment into a valid configuration.
 *
 * @throws {UsageError} naming the option, its value and what is accepted
 */
export async function readCommand(input: ConfigInput): Promise<Command> {
  const raw = parseSettings(input.args, input.env);
  const asked = FLAG_COMMANDS.find((name) => raw.flags.has(name));
  return asked === undefined
    ? { name: "bench", config: await readConfig(raw, input) }
    : { name: asked };
}

/** Holds settings against each other. */
function checked(config: Config): Config {
  const { toolArgsJson, overrides: { payloadBytes }, precisionPercent, shard, workers } = config;
  refuseArgumentsOfPing(config, { toolArgsJson, payloadBytes: payloadBytes ?? null });
  if (config.ignoreFirst > 0 && config.url === null) {
    throw new UsageError(
      `Cannot use --ignore-first "${config.ignoreFirst}" with the bundled server, which sends nothing ` +
        "unasked: accepted is 0, or another server with --url",
    );
  }
  const isSplit = (shard !== null && shard.count > 1) || (workers !== null && workers !== 1);
  if (precisionPercent !== null && isSplit) {
    throw new UsageError(
      `Cannot use --precision "${precisionPercent}" with --workers or --shard, whose parts must run the ` +
        "same epochs: accepted is --epochs N",
    );
  }
  return config;
}

/**
 * Reads what was given into a valid configuration.
 *
 * @throws {UsageError} naming the option, its value and what is accepted
 */
export async function readConfig(raw: RawSettings, input: ConfigInput): Promise<Config> {
  const config = checked(await readSettings(raw, input));
  await refuseOwnFile(config.page, config.outDirectory);
  return config;
}

async function readSettings(raw: RawSettings, input: ConfigInput): Promise<Config> {
  const { values, lists, flags } = raw;
  const number = (name: string, range: Parameters<typeof parseNumber>[1]) =>
    optional(values.get(name), (given) => parseNumber(given, range));
  const duration = (name: string, range: Parameters<typeof parseDuration>[1]) =>
    optional(values.get(name), (given) => parseDuration(given, range));
  const scenarios = lists.get("scenarios");
  const url = readUrl(values.get("url"), input.env);
  const seed = number("seed", { min: 0, max: MAX_SEED, whole: true });
  const shard = readShard(values.get("shard"), input.env);
  if (shard !== null && shard.count > 1) refuseWithShard({ url, raw });
  const maxTime = values.get("max-time");
  if (maxTime !== undefined && !values.has("precision")) {
    throw new UsageError(
      `Cannot use --max-time "${maxTime.text}" without --precision, which it bounds: accepted is ` +
        "--precision PERCENT beside it, or --epochs N",
    );
  }
  return {
    url,
    token: readToken(values.get("token"), url),
    protocol: readProtocol(values.get("protocol"), url),
    tool: values.get("tool")?.text ?? null,
    toolArgsJson: await readToolArgs(values.get("tool-args"), input.directory),
    heavyTools: await readHeavyTools(values.get("heavy-tools"), input.directory),
    workload: await readWorkload(values.get("workload"), input.directory),
    maxHeavyCalls: number("max-calls", { min: 0, max: 1e6, whole: true, unit: "calls" }) ?? 200,
    headers: parseHeaders(lists.get("header") ?? []),
    subprotocols: (lists.get("subprotocol") ?? []).map(readSubprotocol),
    ignoreFirst: number("ignore-first", { min: 0, max: 1000, whole: true, unit: "frames" }) ?? 0,
    caCert: await readCaCert(values.get("ca-cert"), input.directory),
    clientCert: await readClientCert(
      { cert: values.get("client-cert"), key: values.get("client-key") },
      input.directory,
    ),
    insecure: flags.has("insecure"),
    proxy: url === null ? null : proxyOf(url, input.env, flags.has("insecure")),
    waitMs: duration("wait", { min: 0, max: 3600 }) ?? 0,
    scenarios: scenarios === undefined
      ? null
      : parseNames(scenarios, Object.keys(input.vocabulary)),
    profile: optional(values.get("profile"), (given) => parseName(given, PROFILE_NAMES)) ??
      "standard",
    epochs: number("epochs", { min: 1, max: 1000, whole: true }),
    precisionPercent: number("precision", { min: 0, aboveMin: true, max: 100, unit: "per cent" }),
    maxTimeMs: duration("max-time", { min: 0, aboveMin: true, max: 86_400 }) ?? 600_000,
    overrides: readOverrides({ number, duration }, values),
    noDelay: optional(values.get("no-delay"), (given) => parseName(given, NO_DELAY)) ?? "auto",
    timeoutMs: duration("timeout", { min: 0, aboveMin: true, max: 3600 }) ?? 10_000,
    maxRatePerSecond: number("max-rate", { min: 0, aboveMin: true, max: 1e7, unit: "calls/s" }),
    ignoreLimits: flags.has("ignore-limits"),
    seed: seed ?? 1,
    uniqueSeed: seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    unitBaselinePerSecond: number("unit-baseline", {
      min: 0,
      aboveMin: true,
      max: 1e12,
      unit: "calls/s",
    }),
    thresholds: (lists.get("threshold") ?? []).map((given) =>
      readThreshold(given, input.vocabulary)
    ),
    baselines: await readBaselines(lists.get("baseline"), input.directory),
    noisePercent: number("noise", { min: 0, max: 100, unit: "per cent" }),
    bandPercent: number("band", { min: 0, max: 100, unit: "per cent" }) ?? 3,
    force: flags.has("force"),
    strict: flags.has("strict"),
    shard,
    unusedShard: noteUnusedShard(values.get("shard"), input.env),
    startAtMs: readStartAt(values.get("start-at"), Date.now()),
    workers: readWorkers(values.get("workers")),
    outDirectory: resolvePath(
      input.directory,
      `${values.get("out")?.text ?? "reports"}${shardFolder(shard)}`,
    ),
    formats: optional(lists.get("format"), (givens) => parseNames(givens, REPORT_FORMATS)) ??
      ["json", "md", "html"],
    page: await readPagePath(values.get("inject"), input.directory),
    opener: flags.has("open") ? openerOf(lists.get("format")) : null,
    quiet: flags.has("quiet"),
    color: !flags.has("no-color"),
    ci: readCiSettings(input.env),
  };
}

/** What opens the page that `--open` asks for. */
function openerOf(formats: readonly Given[] | undefined): string {
  if (formats === undefined || parseNames(formats, REPORT_FORMATS).includes("html")) {
    return findOpener();
  }
  throw new UsageError("Cannot use --open without a page: accepted is html among the --format");
}

/** What a share alone cannot be held against, and whom it cannot measure. */
function refuseWithShard({ url, raw }: { url: string | null; raw: RawSettings }): void {
  if (url === null) {
    throw new UsageError(
      "Cannot take a share (--shard) without --url: every shard " +
        "would start a server of its own, and measure that",
    );
  }
  const whole = (["threshold", "baseline"] as const).find((name) =>
    raw.values.has(name) || raw.lists.has(name)
  );
  if (whole !== undefined) {
    throw new UsageError(
      `Cannot use --${whole} with a share: it is for the whole run, so give it to deno task merge`,
    );
  }
}

/** Shards that are given the same folder must not write over each other. */
function shardFolder(shard: ShardPlace | null): string {
  return shard === null || shard.count === 1 ? "" : `/shard-${shard.index}-of-${shard.count}`;
}

function optional<T, R>(value: T | undefined, read: (value: T) => R): R | null {
  return value === undefined ? null : read(value);
}

function readOverrides(
  { number, duration }: {
    number: (name: string, range: Parameters<typeof parseNumber>[1]) => number | null;
    duration: (name: string, range: Parameters<typeof parseDuration>[1]) => number | null;
  },
  values: RawSettings["values"],
): Overrides {
  return {
    durationMs: duration("duration", { min: 0, aboveMin: true, max: 86_400 }),
    warmupMs: duration("warmup", { min: 0, max: 3600 }),
    messages: number("messages", { min: 1, max: 1e9, whole: true }),
    connections: number("connections", { min: 1, max: 10_000, whole: true }),
    payloadBytes: number("payload", { min: 0, max: 32 * 2 ** 20, whole: true, unit: "bytes" }),
    inFlight: number("in-flight", { min: 1, max: 10_000, whole: true }),
    ratePerSecond: number("rate", { min: 0, aboveMin: true, max: 1e6, unit: "calls/s" }),
    arrivals: optional(values.get("arrivals"), (given) => parseName(given, ARRIVALS)),
    maxOutstanding: number("max-outstanding", { min: 1, max: 1e6, whole: true }),
    sloMs: number("slo", { min: 0, aboveMin: true, max: 3.6e6, unit: "milliseconds" }),
    stages: optional(values.get("stages"), readStages),
    spikeFactor: number("spike-factor", { min: 1, aboveMin: true, max: 1000 }),
    expectLimits: optional(values.get("expect-limits"), readExpectedLimits),
  };
}

function readStages(given: Given): string {
  try {
    parseStages(given.text);
    return given.text.replaceAll(/\s/g, "");
  } catch (error) {
    if (error instanceof RangeError) throw unacceptable(given, STAGES_SYNTAX);
    throw error;
  }
}

function readExpectedLimits(given: Given): string {
  try {
    parseExpectedLimits(given.text);
    return given.text.replaceAll(/\s/g, "");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw unacceptable(given, `${EXPECTED_LIMITS_SYNTAX}; ${error.message}`);
  }
}

function readThreshold(given: Given, vocabulary: ThresholdVocabulary): Threshold {
  try {
    return parseThreshold(given.text, vocabulary);
  } catch (error) {
    throw error instanceof ThresholdError ? new UsageError(error.message) : error;
  }
}

/** One of the subprotocols, which may be a secret. */
function readSubprotocol({ source, text }: Given, index: number, all: readonly Given[]): string {
  const hidden = "(the text given is not shown, as it may be secret)";
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) {
    throw new UsageError(
      `Cannot use ${source}: accepted is a name of letters, digits and !#$%&'*+.^_\`|~- ${hidden}`,
    );
  }
  if (all.findIndex((one) => one.text === text) === index) return text;
  throw new UsageError(`Cannot use ${source} twice with one name: accepted is each once ${hidden}`);
}
