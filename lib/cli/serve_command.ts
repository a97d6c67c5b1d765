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
  type ThinkTime,
} from "../server/options.ts";
import { startServer } from "../server/serve.ts";
import { grammarOf, optionsIn, parseSettings, type Place } from "./command_line.ts";
import type { Program } from "./measure.ts";
import { type Given, unacceptable, UsageError } from "./usage_error.ts";
import { above, from, parseName, whole } from "./values.ts";

export const SERVE_OPTIONS = optionsIn(`
  --host HOST                 address to listen on (default 127.0.0.1) [EXAI_WS_HOST]
  --port N                    port to listen on; 0: any free one (default 8079) [EXAI_WS_PORT]
  --token TOKEN               at least 16 characters; default: no authentication; visible in ps, so prefer [EXAI_WS_TOKEN]
  --dialect NAME              oct (default), oct25 or nov: which build of the real server to speak like
  --limits NAME               default: all limits on; off: no rate limits, connection limits stay
  --user-rate CAP:REFILL      burst, and messages per second after it, per session (default 50:5)
  --ip-rate CAP:REFILL        the same per address (default 100:10)
  --global-rate CAP:REFILL    the same for the whole server (default 1000:100)
  --max-connections N         connections in all (default 1000) [MAX_CONNECTIONS]
  --max-connections-per-ip N  connections per address (default 10) [MAX_CONNECTIONS_PER_IP]
  --hello-timeout SECONDS     time for the hello (default 15) [EXAI_WS_HELLO_TIMEOUT]
  --think TOOL=MS:SIGMA       log-normal think time (MS: its median) of ${
  HEAVY_TOOLS.join(", ")
}; repeatable
  --think-mode NAME           wait (default), or block: no replies while a tool thinks
  --slow-down MS              each call takes this much longer than the one before (default 0)
  --seed N                    for the think times (default 1)
`);

const SERVE = grammarOf(
  `Usage: deno task serve [options]

Runs the bundled EXAI reference server until it is interrupted.`,
  [...SERVE_OPTIONS, ...optionsIn("  --help  this text")],
);

export const SERVE_USAGE = `${SERVE.usage}
Options override the environment. Also read from it: RATE_LIMIT_{USER,IP,GLOBAL}_CAPACITY,
RATE_LIMIT_{USER,IP,GLOBAL}_REFILL_RATE, EXAI_WS_MAX_BYTES, TOOL_CALL_MAX_SIZE,
EXAI_WS_PING_INTERVAL and EXAI_WS_PING_TIMEOUT.
`;

/** Addresses that other machines cannot reach. */
const LOOPBACK = /^(localhost|127\.[\d.]+|::1)$/i;

/**
 * Runs the reference server until it is interrupted.
 *
 * @throws {UsageError} if an option is invalid or the server cannot listen
 */
export async function serve(
  args: readonly string[],
  { env }: Place,
  { terminal, interrupt: listen }: Program,
): Promise<number> {
  const options = parseServeOptions(args, env);
  const interrupt = listen("stopping");
  await using server = await startServer(options).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  const { dialect, hostname } = options;
  if (!LOOPBACK.test(hostname)) {
    const who = asksForToken(options) ? "with the token" : "who reaches this port: set a token";
    terminal.printWarning(`${hostname} is open to other machines: the server serves anyone ${who}`);
  }
  terminal.print(`Serving the EXAI protocol (dialect ${dialect}) at ${server.url}\n`);
  if (!interrupt.signal.aborted) {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
  }
  return interrupt.exitCode ?? EXIT.interrupted;
}

const count = whole(1, 1_000_000_000);
const bytes = whole(1, 64 * 1024 ** 2, "bytes");
const perSecond = above(0, 1e9, "messages per second");
const seconds = from(0, 40_000, "seconds");

/**
 * Reads the command line of `serve`, then the environment for options that were not given.
 *
 * @throws {UsageError} if an option is unknown or a value is invalid
 */
export function parseServeOptions(args: readonly string[], env: Place["env"]): ServerOptions {
  const { settings } = parseSettings(args, env, SERVE);
  const option = <T>(name: string, parse: (given: Given) => T, otherwise: T): T => {
    const given = settings.get(name)?.at(-1);
    return given === undefined ? otherwise : parse(given);
  };
  const variable = <T>(source: string, parse: (given: Given) => T, otherwise: T): T => {
    const text = env[source];
    return text ? parse({ source, text }) : otherwise;
  };
  const standard = defaultServerOptions({ port: 8079 });
  const limits = option(
    "limits",
    (given) => limitsPreset(parseName(given, ["default", "off"])),
    standard.limits,
  );
  // --limits, and the option of a rate, override the variables of that rate.
  const rateOf = (name: string, preset: RateLimit | null): RateLimit | null => {
    const isGiven = settings.has("limits") || settings.has(`${name}-rate`);
    if (isGiven || preset === null) return option(`${name}-rate`, parseRate, preset);
    const prefix = `RATE_LIMIT_${name.toUpperCase()}`;
    return {
      capacity: variable(`${prefix}_CAPACITY`, count, preset.capacity),
      refillPerSecond: variable(`${prefix}_REFILL_RATE`, perSecond, preset.refillPerSecond),
    };
  };
  const pingSeconds = variable("EXAI_WS_PING_INTERVAL", seconds, 30);
  return {
    ...standard,
    hostname: option("host", ({ text }) => text, standard.hostname),
    port: option("port", whole(0, 65_535), standard.port),
    token: option("token", parseToken, standard.token),
    dialect: option("dialect", (given) => parseName(given, DIALECTS), standard.dialect),
    limits: {
      userRate: rateOf("user", limits.userRate),
      ipRate: rateOf("ip", limits.ipRate),
      globalRate: rateOf("global", limits.globalRate),
      maxConnections: option("max-connections", count, limits.maxConnections),
      maxConnectionsPerIp: option("max-connections-per-ip", count, limits.maxConnectionsPerIp),
    },
    maxFrameBytes: variable("EXAI_WS_MAX_BYTES", bytes, standard.maxFrameBytes),
    maxCallBytes: variable("TOOL_CALL_MAX_SIZE", bytes, standard.maxCallBytes),
    helloTimeoutMs: 1000 * option("hello-timeout", above(0, 40_000, "seconds"), 15),
    // The time until a ping is sent, plus the time for its answer.
    idleTimeoutSeconds: Math.ceil(pingSeconds + variable("EXAI_WS_PING_TIMEOUT", seconds, 30)),
    think: {
      ...standard.think,
      ...Object.fromEntries((settings.get("think") ?? []).map(parseThink)),
    },
    thinkMode: option("think-mode", (given) => parseName(given, THINK_MODES), standard.thinkMode),
    slowDownMs: option("slow-down", from(0, 1_000, "milliseconds"), standard.slowDownMs),
    seed: option("seed", whole(0, 2 ** 32 - 1), standard.seed),
  };
}

/** `CAPACITY:REFILL`. */
function parseRate(given: Given): RateLimit {
  const [, capacity, refill] = /^([^:]+):([^:]+)$/.exec(given.text) ?? [];
  if (capacity === undefined || refill === undefined) {
    throw unacceptable(given, "CAPACITY:REFILL_PER_SECOND, such as 50:5");
  }
  return {
    capacity: count({ ...given, text: capacity }),
    refillPerSecond: perSecond({ ...given, text: refill }),
  };
}

/** Reads a token, which no error shows. */
function parseToken({ source, text }: Given): string {
  if (text.length >= MIN_TOKEN_LENGTH) return text;
  throw new UsageError(
    `Cannot use ${source}: accepted are ${MIN_TOKEN_LENGTH} characters or more, as a shorter token ` +
      `switches authentication off; this one has ${text.length}`,
  );
}

/** Reads `TOOL=MEDIAN_MS:SIGMA` as an entry of the think times. */
function parseThink(given: Given): [string, ThinkTime] {
  const [, tool, median, sigma] = /^([^=]+)=([^:]+):(.+)$/.exec(given.text) ?? [];
  if (tool === undefined || median === undefined || sigma === undefined) {
    throw unacceptable(given, "TOOL=MEDIAN_MS:SIGMA, such as chat=800:0.5");
  }
  return [parseName({ ...given, text: tool }, HEAVY_TOOLS), {
    medianMs: above(0, 600_000, "milliseconds")({ ...given, text: median }),
    sigma: from(0, 5)({ ...given, text: sigma }),
  }];
}
