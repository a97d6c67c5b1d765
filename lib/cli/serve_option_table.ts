/**
 * The options of `deno task serve`: the one table that parsing, the environment and the help text are
 * made from.
 *
 * @module
 */

import {
  DIALECTS,
  HEAVY_TOOLS,
  limitsPreset,
  MIN_TOKEN_LENGTH,
  type RateLimit,
  type ServerOptions,
  THINK_MODES,
} from "../server/options.ts";
import type { Given } from "./parse.ts";
import { UsageError } from "./usage_error.ts";
import { type NumberRange, parseName, parseNumber, unacceptable } from "./values.ts";

/** Changes the options by a setting; throws a UsageError where it cannot be used. */
export type Apply = (options: ServerOptions, given: Given) => void;

/** An option of the command line. */
export interface ServeOption {
  name: string;
  /** The placeholder of its value in the usage text. */
  value: string;
  env?: string;
  help: string;
  apply: Apply;
}

const COUNT: NumberRange = { min: 1, max: 1_000_000_000, whole: true };
const BYTES: NumberRange = { min: 1, max: 64 * 1024 ** 2, whole: true, unit: "bytes" };
/** A time. */
export const SECONDS: NumberRange = { min: 0, max: 40_000, unit: "seconds" };
const MEDIAN_MS: NumberRange = { min: 0, aboveMin: true, max: 600_000, unit: "milliseconds" };
const SLOW_DOWN_MS: NumberRange = { min: 0, max: 1_000, unit: "milliseconds" };
const SIGMA: NumberRange = { min: 0, max: 5 };
const SEED: NumberRange = { min: 0, max: 2 ** 32 - 1, whole: true };
const PORT: NumberRange = { min: 0, max: 65_535, whole: true };
const PER_SECOND: NumberRange = { min: 0, aboveMin: true, max: 1e9, unit: "messages per second" };

/** Applied in this order: `limits` comes before what changes single limits. */
export const SERVE_OPTIONS: readonly ServeOption[] = [
  {
    name: "host",
    value: "HOST",
    env: "EXAI_WS_HOST",
    help: "address to listen on (default 127.0.0.1)",
    apply: (options, { text }) => options.hostname = text,
  },
  {
    name: "port",
    value: "N",
    env: "EXAI_WS_PORT",
    help: "port to listen on, 0: a free one (default 8079)",
    apply: (options, given) => options.port = parseNumber(given, PORT),
  },
  {
    name: "token",
    value: "TOKEN",
    env: "EXAI_WS_TOKEN",
    help: "what clients must present, 16 characters or more (default: authentication off); " +
      "visible in ps: prefer the environment",
    apply: (options, given) => options.token = parseToken(given),
  },
  {
    name: "dialect",
    value: "NAME",
    help: "oct (default), oct25 or nov: which build of the real server to speak like",
    apply: (options, given) => options.dialect = parseName(given, DIALECTS),
  },
  {
    name: "limits",
    value: "NAME",
    help: "default: all limits on; off: no rate limits, those on connections stay",
    apply: (options, given) => options.limits = limitsPreset(parseName(given, ["default", "off"])),
  },
  rateOption("user-rate", "userRate", "one session (default 50:5)"),
  rateOption("ip-rate", "ipRate", "one address (default 100:10)"),
  rateOption("global-rate", "globalRate", "the whole server (default 1000:100)"),
  {
    name: "max-connections",
    value: "N",
    env: "MAX_CONNECTIONS",
    help: "connections in all (default 1000)",
    apply: (options, given) => options.limits.maxConnections = parseNumber(given, COUNT),
  },
  {
    name: "max-connections-per-ip",
    value: "N",
    env: "MAX_CONNECTIONS_PER_IP",
    help: "connections of one address (default 10)",
    apply: (options, given) => options.limits.maxConnectionsPerIp = parseNumber(given, COUNT),
  },
  {
    name: "hello-timeout",
    value: "SECONDS",
    env: "EXAI_WS_HELLO_TIMEOUT",
    help: "time for the hello (default 15)",
    apply: (options, given) =>
      options.helloTimeoutMs = 1000 * parseNumber(given, { ...SECONDS, aboveMin: true }),
  },
  {
    name: "think",
    value: "TOOL=MEDIAN_MS:SIGMA",
    help: `log-normal think time of ${HEAVY_TOOLS.join(", ")}; repeatable`,
    apply: applyThink,
  },
  {
    name: "think-mode",
    value: "NAME",
    help: "wait (default), or block: nobody is answered while a tool thinks",
    apply: (options, given) => options.thinkMode = parseName(given, THINK_MODES),
  },
  {
    name: "slow-down",
    value: "MS",
    help: "each call takes so many milliseconds longer than the one before it (default 0)",
    apply: (options, given) => options.slowDownMs = parseNumber(given, SLOW_DOWN_MS),
  },
  {
    name: "seed",
    value: "N",
    help: "for the think times (default 1)",
    apply: (options, given) => options.seed = parseNumber(given, SEED),
  },
];

/** What only the environment can say. `option` is the one that overrides it, beside `limits`. */
export const SERVE_ENVIRONMENT: readonly { env: string; option?: string; apply: Apply }[] = [
  ...rateEnvironment("USER", "user-rate", "userRate"),
  ...rateEnvironment("IP", "ip-rate", "ipRate"),
  ...rateEnvironment("GLOBAL", "global-rate", "globalRate"),
  {
    env: "EXAI_WS_MAX_BYTES",
    apply: (options, given) => options.maxFrameBytes = parseNumber(given, BYTES),
  },
  {
    env: "TOOL_CALL_MAX_SIZE",
    apply: (options, given) => options.maxCallBytes = parseNumber(given, BYTES),
  },
];

type RateField = "userRate" | "ipRate" | "globalRate";

function rateOption(name: string, field: RateField, whose: string): ServeOption {
  return {
    name,
    value: "CAP:REFILL",
    help: `messages at once, and regained per second, of ${whose}`,
    apply: (options, given) => options.limits[field] = parseRate(given),
  };
}

function rateEnvironment(whose: string, option: string, field: RateField) {
  const change = (options: ServerOptions, part: Partial<RateLimit>) =>
    options.limits[field] = { ...(options.limits[field] as RateLimit), ...part };
  const capacity: Apply = (options, given) =>
    change(options, { capacity: parseNumber(given, COUNT) });
  const refill: Apply = (options, given) =>
    change(options, { refillPerSecond: parseNumber(given, PER_SECOND) });
  return [
    { env: `RATE_LIMIT_${whose}_CAPACITY`, option, apply: capacity },
    { env: `RATE_LIMIT_${whose}_REFILL_RATE`, option, apply: refill },
  ];
}

/** `CAPACITY:REFILL`. */
function parseRate(given: Given): RateLimit {
  const [, capacity, refill] = /^([^:]+):([^:]+)$/.exec(given.text) ?? [];
  if (capacity === undefined || refill === undefined) {
    throw unacceptable(given, "CAPACITY:REFILL_PER_SECOND, such as 50:5");
  }
  return {
    capacity: parseNumber({ ...given, text: capacity }, COUNT),
    refillPerSecond: parseNumber({ ...given, text: refill }, PER_SECOND),
  };
}

/** A token, never shown in an error. */
function parseToken({ source, text }: Given): string {
  if (text.length >= MIN_TOKEN_LENGTH) return text;
  throw new UsageError(
    `Cannot use ${source}: accepted are ${MIN_TOKEN_LENGTH} characters or more, since a shorter ` +
      `token would switch authentication off: it has ${text.length}`,
  );
}

/** `TOOL=MEDIAN_MS:SIGMA`. */
function applyThink(options: ServerOptions, given: Given): void {
  const [, tool, median, sigma] = /^([^=]+)=([^:]+):(.+)$/.exec(given.text) ?? [];
  if (tool === undefined || median === undefined || sigma === undefined) {
    throw unacceptable(given, "TOOL=MEDIAN_MS:SIGMA, such as chat=800:0.5");
  }
  const { source } = given;
  options.think[parseName({ source, text: tool }, HEAVY_TOOLS)] = {
    medianMs: parseNumber({ source, text: median }, MEDIAN_MS),
    sigma: parseNumber({ source, text: sigma }, SIGMA),
  };
}
