/**
 * `serve`: the reference server alone, by its command line and the environment.
 *
 * @module
 */

import { EXIT } from "../run/verdict.ts";
import {
  asksForToken,
  defaultServerOptions,
  DIALECTS,
  HEAVY_TOOLS,
  limitsPreset,
  MIN_TOKEN_LENGTH,
  type RateLimit,
  type ServerOptions,
  THINK_MODES,
} from "../server/options.ts";
import { startServer } from "../server/serve.ts";
import { grammarOf, optionsIn, parseSettings } from "./command_line.ts";
import type { Interrupt, Terminal } from "./terminal.ts";
import { type Given, unacceptable, UsageError } from "./usage_error.ts";
import { type NumberRange, parseName, parseNumber } from "./values.ts";

type Environment = Readonly<Record<string, string | undefined>>;
/** Changes the options by a setting; throws a UsageError where it cannot be used. */
type Apply = (options: ServerOptions, given: Given) => void;

/** Applied in this order: `limits` comes before what changes single limits. */
export const SERVE_OPTIONS = optionsIn(`
  --host HOST                 address to listen on (default 127.0.0.1) [EXAI_WS_HOST]
  --port N                    port to listen on, 0: a free one (default 8079) [EXAI_WS_PORT]
  --token TOKEN               at least 16 characters (default: no authentication); visible in ps: prefer the environment [EXAI_WS_TOKEN]
  --dialect NAME              oct (default), oct25 or nov: which build of the real server to speak like
  --limits NAME               default: all limits on; off: no rate limits, connection limits stay
  --user-rate CAP:REFILL      burst, and messages per second after it, per session (default 50:5)
  --ip-rate CAP:REFILL        the same per address (default 100:10)
  --global-rate CAP:REFILL    the same for the whole server (default 1000:100)
  --max-connections N         connections in all (default 1000) [MAX_CONNECTIONS]
  --max-connections-per-ip N  connections per address (default 10) [MAX_CONNECTIONS_PER_IP]
  --hello-timeout SECONDS     time for the hello (default 15) [EXAI_WS_HELLO_TIMEOUT]
  --think TOOL=MEDIAN_MS:SIGMA  log-normal think time of ${HEAVY_TOOLS.join(", ")}; repeatable
  --think-mode NAME           wait (default), or block: nobody is answered while a tool thinks
  --slow-down MS              each call takes this much longer than the one before it (default 0)
  --seed N                    for the think times (default 1)
`);

const SERVE = grammarOf(
  `Usage: deno task serve [options]

Runs the bundled EXAI reference server until it is interrupted.`,
  [...SERVE_OPTIONS, ...optionsIn("  --help  this text")],
);

/** The help text. */
export const SERVE_USAGE = `${SERVE.usage}
Options win over the environment. Also read from it: RATE_LIMIT_{USER,IP,GLOBAL}_CAPACITY,
RATE_LIMIT_{USER,IP,GLOBAL}_REFILL_RATE, EXAI_WS_MAX_BYTES, TOOL_CALL_MAX_SIZE,
EXAI_WS_PING_INTERVAL and EXAI_WS_PING_TIMEOUT.
`;

/** Addresses that no other machine reaches. */
const LOOPBACK = /^(localhost|127\.[\d.]+|::1)$/i;

/**
 * `serve`: the reference server alone, until it is interrupted.
 *
 * @throws {UsageError} if an option cannot be used, or the server cannot listen
 */
export async function serve(
  args: readonly string[],
  { variables, terminal, interrupt: listen }: {
    variables: Record<string, string | undefined>;
    terminal: Terminal;
    interrupt: (doing: string) => Interrupt;
  },
): Promise<number> {
  const options = parseServeOptions(args, variables);
  const interrupt = listen("stopping");
  await using server = await startServer(options).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  const { dialect, hostname } = options;
  if (!LOOPBACK.test(hostname)) {
    const who = asksForToken(options) ? "has the token" : "reaches this port: set a token";
    terminal.printWarning(`${hostname} is open to other machines: the server serves who ${who}`);
  }
  terminal.print(`Serving the EXAI protocol (dialect ${dialect}) at ${server.url}\n`);
  if (!interrupt.signal.aborted) {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
  }
  return interrupt.exitCode ?? EXIT.interrupted;
}

const COUNT: NumberRange = { min: 1, max: 1_000_000_000, whole: true };
const BYTES: NumberRange = { min: 1, max: 64 * 1024 ** 2, whole: true, unit: "bytes" };
const SECONDS: NumberRange = { min: 0, max: 40_000, unit: "seconds" };
const MEDIAN_MS: NumberRange = { min: 0, aboveMin: true, max: 600_000, unit: "milliseconds" };
const SLOW_DOWN_MS: NumberRange = { min: 0, max: 1_000, unit: "milliseconds" };
const SIGMA: NumberRange = { min: 0, max: 5 };
const SEED: NumberRange = { min: 0, max: 2 ** 32 - 1, whole: true };
const PORT: NumberRange = { min: 0, max: 65_535, whole: true };
const PER_SECOND: NumberRange = { min: 0, aboveMin: true, max: 1e9, unit: "messages per second" };

/** What each option changes; those that may be repeated, once for each value. */
const APPLY: Readonly<Record<string, Apply>> = {
  "host": (options, { text }) => options.hostname = text,
  "port": (options, given) => options.port = parseNumber(given, PORT),
  "token": (options, given) => options.token = parseToken(given),
  "dialect": (options, given) => options.dialect = parseName(given, DIALECTS),
  "limits": (options, given) => options.limits = limitsPreset(parseName(given, ["default", "off"])),
  "user-rate": ({ limits }, given) => limits.userRate = parseRate(given),
  "ip-rate": ({ limits }, given) => limits.ipRate = parseRate(given),
  "global-rate": ({ limits }, given) => limits.globalRate = parseRate(given),
  "max-connections": ({ limits }, given) => limits.maxConnections = parseNumber(given, COUNT),
  "max-connections-per-ip": ({ limits }, given) =>
    limits.maxConnectionsPerIp = parseNumber(given, COUNT),
  "hello-timeout": (options, given) =>
    options.helloTimeoutMs = 1000 * parseNumber(given, { ...SECONDS, aboveMin: true }),
  "think": applyThink,
  "think-mode": (options, given) => options.thinkMode = parseName(given, THINK_MODES),
  "slow-down": (options, given) => options.slowDownMs = parseNumber(given, SLOW_DOWN_MS),
  "seed": (options, given) => options.seed = parseNumber(given, SEED),
};

/** What only the environment can say. `option` is the one that overrides it, beside `limits`. */
export const SERVE_ENVIRONMENT: readonly { env: string; option?: string; apply: Apply }[] = [
  ...rateEnvironment("USER", "userRate"),
  ...rateEnvironment("IP", "ipRate"),
  ...rateEnvironment("GLOBAL", "globalRate"),
  {
    env: "EXAI_WS_MAX_BYTES",
    apply: (options, given) => options.maxFrameBytes = parseNumber(given, BYTES),
  },
  {
    env: "TOOL_CALL_MAX_SIZE",
    apply: (options, given) => options.maxCallBytes = parseNumber(given, BYTES),
  },
];

function rateEnvironment(whose: string, field: "userRate" | "ipRate" | "globalRate") {
  const option = `${whose.toLowerCase()}-rate`;
  const part = (suffix: string, name: keyof RateLimit, range: NumberRange) => ({
    env: `RATE_LIMIT_${whose}_${suffix}`,
    option,
    apply: ({ limits }: ServerOptions, given: Given) => {
      limits[field] = { ...limits[field] as RateLimit, [name]: parseNumber(given, range) };
    },
  });
  return [part("CAPACITY", "capacity", COUNT), part("REFILL_RATE", "refillPerSecond", PER_SECOND)];
}

/**
 * Reads the command line of `serve`, then the environment for what it leaves open.
 *
 * @throws {UsageError} if an option is unknown or a value cannot be used
 */
export function parseServeOptions(args: readonly string[], env: Environment): ServerOptions {
  const { settings } = parseSettings(args, env, SERVE);
  const options = defaultServerOptions({ port: 8079 });
  for (const { env: source, option, apply } of SERVE_ENVIRONMENT) {
    const isOverridden = option !== undefined && (settings.has("limits") || settings.has(option));
    const text = env[source];
    if (text && !isOverridden) apply(options, { source, text });
  }
  options.idleTimeoutSeconds = readIdleTimeout(env);
  for (const [name, apply] of Object.entries(APPLY)) {
    for (const given of settings.get(name) ?? []) apply(options, given);
  }
  return options;
}

/** Silence that the server bears: the time to its ping and the time for the answer. */
function readIdleTimeout(env: Environment): number {
  const read = (source: string) => {
    const text = env[source];
    return text ? parseNumber({ source, text }, SECONDS) : 30;
  };
  return Math.ceil(read("EXAI_WS_PING_INTERVAL") + read("EXAI_WS_PING_TIMEOUT"));
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
