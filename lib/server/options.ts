/**
 * Options of the reference server, with defaults and validation. They are plain data, so that they
 * can be posted to a worker.
 *
 * @module
 */

/** Builds of the real server to imitate: 2025-10-25, 2025-10-27 and 2025-11-13. */
export const DIALECTS = ["oct25", "oct", "nov"] as const;
export type DialectName = typeof DIALECTS[number];

/** A token bucket: a burst of `capacity` messages, then `refillPerSecond`. */
export interface RateLimit {
  capacity: number;
  refillPerSecond: number;
}

/** Load limits. A rate of `null` is unlimited. */
export interface Limits {
  userRate: RateLimit | null;
  ipRate: RateLimit | null;
  globalRate: RateLimit | null;
  maxConnections: number;
  maxConnectionsPerIp: number;
}

/** A log-normal think time; `sigma` is the standard deviation of its logarithm. */
export interface ThinkTime {
  medianMs: number;
  sigma: number;
}

/**
 * Other connections while a tool thinks. `wait`: they are served. `block`: they are not, as if the
 * tool occupied the server's only thread.
 */
export const THINK_MODES = ["wait", "block"] as const;
export type ThinkMode = typeof THINK_MODES[number];

/** Tools with a think time. */
export const HEAVY_TOOLS = ["chat", "analyze", "debug"] as const;
export type HeavyToolName = typeof HEAVY_TOOLS[number];

export interface ServerOptions {
  hostname: string;
  /** 0: any free port. */
  port: number;
  dialect: DialectName;
  /** `null`, or anything under {@link MIN_TOKEN_LENGTH} characters, switches authentication off. */
  token: string | null;
  /** Nov only: a hello must have a non-empty `jwt`. Its signature is not checked. */
  requireJwt: boolean;
  limits: Limits;
  /** A longer frame closes the connection with 1009. */
  maxFrameBytes: number;
  /** A longer call is refused with OVER_CAPACITY. */
  maxCallBytes: number;
  /** Maximum messages queued during a call; one more closes the connection with 1008. */
  maxQueuedMessages: number;
  helloTimeoutMs: number;
  /** A silent client is pinged after half of this time and closed after all of it. 0: never. */
  idleTimeoutSeconds: number;
  think: Record<HeavyToolName, ThinkTime>;
  thinkMode: ThinkMode;
  /** Each call takes this much longer than the one before, as in a server that scans its caches. */
  slowDownMs: number;
  /** Time between progress frames of a heavy call. */
  progressIntervalMs: number;
  /** Seed of the think times. */
  seed: number;
}

/** Any options; limits as a preset or field by field. */
export type ServerOptionOverrides =
  & Partial<Omit<ServerOptions, "limits" | "think">>
  & { limits?: LimitsPreset | Partial<Limits>; think?: Partial<ServerOptions["think"]> };

/** A shorter token switches authentication off, as in the real server. */
export const MIN_TOKEN_LENGTH = 16;

/** True if clients need a token. */
export function asksForToken({ token }: Pick<ServerOptions, "token">): boolean {
  return token !== null && token.length >= MIN_TOKEN_LENGTH;
}

const MIB = 1024 * 1024;

/** `default`: all limits on. `off`: no rate limits; connection limits stay on. */
export type LimitsPreset = "default" | "off";

/** A new object with the limits of a preset. */
export function limitsPreset(preset: LimitsPreset): Limits {
  const connections = { maxConnections: 1000, maxConnectionsPerIp: 10 };
  switch (preset) {
    case "default":
      return {
        userRate: { capacity: 50, refillPerSecond: 5 },
        ipRate: { capacity: 100, refillPerSecond: 10 },
        globalRate: { capacity: 1000, refillPerSecond: 100 },
        ...connections,
      };
    case "off":
      return { userRate: null, ipRate: null, globalRate: null, ...connections };
    default:
      return refuse("limits", `"default", "off" or an object`, preset satisfies never);
  }
}

/**
 * Options of a server on a free loopback port with all limits on, changed by `overrides`.
 *
 * @throws {RangeError} If a value is out of range; the message names field, value and range.
 */
export function defaultServerOptions(overrides: ServerOptionOverrides = {}): ServerOptions {
  const { limits = "default", think, ...rest } = overrides;
  const options: ServerOptions = {
    hostname: "127.0.0.1",
    port: 0,
    dialect: "oct",
    token: null,
    requireJwt: false,
    limits: typeof limits === "string"
      ? limitsPreset(limits)
      : { ...limitsPreset("default"), ...limits },
    maxFrameBytes: 32 * MIB,
    maxCallBytes: 10 * MIB,
    maxQueuedMessages: 10_000,
    helloTimeoutMs: 15_000,
    idleTimeoutSeconds: 60,
    think: {
      chat: { medianMs: 800, sigma: 0.5 },
      analyze: { medianMs: 2000, sigma: 0.6 },
      debug: { medianMs: 1500, sigma: 0.6 },
      ...think,
    },
    thinkMode: "wait",
    slowDownMs: 0,
    progressIntervalMs: 5000,
    seed: 1,
    ...rest,
  };
  validateServerOptions(options);
  return options;
}

/** @throws {RangeError} If a value is out of range; the message names field, value and range. */
export function validateServerOptions(options: ServerOptions): void {
  const { limits, dialect } = options;
  if (!DIALECTS.includes(dialect)) {
    refuse("dialect", `"oct25", "oct" or "nov"`, dialect);
  }
  if (!THINK_MODES.includes(options.thinkMode)) {
    refuse("thinkMode", `"wait" or "block"`, options.thinkMode);
  }
  if (options.hostname === "") refuse("hostname", "a host name or address", `""`);
  checkWhole("port", options.port, { min: 0, max: 65_535 });
  checkWhole("limits.maxConnections", limits.maxConnections, { min: 1 });
  checkWhole("limits.maxConnectionsPerIp", limits.maxConnectionsPerIp, { min: 1 });
  for (const name of ["userRate", "ipRate", "globalRate"] as const) {
    const rate = limits[name];
    if (rate === null) continue;
    checkWhole(`limits.${name}.capacity`, rate.capacity, { min: 1 });
    checkNumber(`limits.${name}.refillPerSecond`, rate.refillPerSecond, { above: 0 });
  }
  checkWhole("maxFrameBytes", options.maxFrameBytes, { min: 1, max: 64 * MIB });
  checkWhole("maxCallBytes", options.maxCallBytes, { min: 1 });
  checkWhole("maxQueuedMessages", options.maxQueuedMessages, { min: 1 });
  checkNumber("helloTimeoutMs", options.helloTimeoutMs, { above: 0, max: MAX_TIMER_MS });
  checkWhole("idleTimeoutSeconds", options.idleTimeoutSeconds, { min: 0, max: 86_400 });
  checkNumber("slowDownMs", options.slowDownMs, { min: 0, max: 1_000 });
  checkNumber("progressIntervalMs", options.progressIntervalMs, { above: 0, max: MAX_TIMER_MS });
  checkWhole("seed", options.seed, { min: 0, max: 2 ** 32 - 1 });
  for (const tool of HEAVY_TOOLS) {
    checkNumber(`think.${tool}.medianMs`, options.think[tool].medianMs, { above: 0 });
    checkNumber(`think.${tool}.sigma`, options.think[tool].sigma, { min: 0, max: 5 });
  }
}

/** Maximum delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function checkWhole(field: string, value: number, range: { min: number; max?: number }): void {
  const max = range.max ?? Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(value) && value >= range.min && value <= max) return;
  const upTo = range.max === undefined ? "" : ` to ${max}`;
  refuse(field, `a whole number from ${range.min}${upTo}`, value);
}

function checkNumber(
  field: string,
  value: number,
  range: { above: number; max?: number } | { min: number; max?: number },
): void {
  const max = range.max ?? Number.MAX_VALUE;
  const reaches = "above" in range ? value > range.above : value >= range.min;
  if (reaches && value <= max) return;
  const from = "above" in range ? `a number above ${range.above}` : `a number from ${range.min}`;
  const upTo = range.max === undefined ? "" : `, at most ${max}`;
  refuse(field, from + upTo, value);
}

function refuse(field: string, accepted: string, value: unknown): never {
  throw new RangeError(
    `Cannot configure the server as ${field} must be ${accepted}: ${field} is ${value}`,
  );
}
