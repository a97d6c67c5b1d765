import type { Observed } from "../client/call.ts";
import { readLimitOwner } from "../client/limiter_words.ts";
import type { RateLimit } from "../schema.ts";

/** The share of a limiter's refill rate that a run uses. */
export const KEPT_SHARE = 0.8;

/** The server's settings of each limit. */
const VARIABLES = {
  session: "RATE_LIMIT_USER_CAPACITY and RATE_LIMIT_USER_REFILL_RATE",
  ip: "RATE_LIMIT_IP_CAPACITY and RATE_LIMIT_IP_REFILL_RATE",
} as const;

/** Explains where a rate limiter refused a call, and what to do. */
export function describeRateLimit(limit: { atCall: number; message: string }): string {
  const owner = readLimitOwner(limit.message) ?? "session";
  const where = owner === "ip"
    ? "The server's rate limit per address, which all clients of the address share, is used up"
    : `The server's rate limiter refused calls from message ${limit.atCall} of the session on ` +
      "(warm-up included)";
  return `${where}: "${limit.message}". Run again when it has refilled, with no other client ` +
    `connected, or raise the server's ${VARIABLES[owner]}.`;
}

/**
 * Advises the calls per second of each session at which none is refused, from the waits that the
 * server's refusals asked for. Empty if they did not say.
 */
export function adviceOn(
  { retryAfter = {} }: Observed,
  { sessions }: { sessions: number },
): Pick<RateLimit, "advisedPerSecond" | "sessions" | "refillPerSecond" | "addressRefillPerSecond"> {
  const { session, ip } = retryAfter;
  if (session === undefined && ip === undefined) return {};
  const advised = Math.min(
    ...session === undefined ? [] : [KEPT_SHARE / session],
    ...ip === undefined ? [] : [KEPT_SHARE / ip / sessions],
  );
  return {
    advisedPerSecond: Number(advised.toPrecision(2)),
    sessions,
    ...session === undefined ? {} : { refillPerSecond: 1 / session },
    ...ip === undefined ? {} : { addressRefillPerSecond: 1 / ip },
  };
}
