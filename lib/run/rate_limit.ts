import type { Observed } from "../client/call.ts";
import { readLimitOwner } from "../client/limiter_words.ts";
import type { RateLimit } from "../schema.ts";

/** The share of a limiter's refill that a run uses. */
export const KEPT_SHARE = 0.8;

/** The variables of the server that hold a limit. */
const VARIABLES = {
  session: "RATE_LIMIT_USER_CAPACITY and RATE_LIMIT_USER_REFILL_RATE",
  ip: "RATE_LIMIT_IP_CAPACITY and RATE_LIMIT_IP_REFILL_RATE",
} as const;

/** Says once, as the cause, that and where a rate limiter refused a call, and the way out. */
export function describeRateLimit(limit: { atCall: number; message: string }): string {
  const owner = readLimitOwner(limit.message) ?? "session";
  const where = owner === "ip"
    ? "The server's rate limit of one address, which all of its clients share, is used up"
    : `The server's rate limiter refused calls from message ${limit.atCall} of the session on ` +
      "(warm-up included)";
  return `${where}: "${limit.message}". Run again when it has filled up, with no other client beside it, ` +
    `or raise the server's ${VARIABLES[owner]}.`;
}

/**
 * The calls a second at which none is refused, by how long the server's refusals asked to wait: of each of so many
 * sessions. Nothing where they did not say.
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
