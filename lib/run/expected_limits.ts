import type { LimitOwner } from "../client/limiter_words.ts";

/** A budget of calls: a burst, then calls per second. */
export interface Budget {
  burst: number;
  refillPerSecond: number;
}

const OWNERS: readonly LimitOwner[] = ["session", "ip"];

/** The budget expected for each owner; `"none"`: no limit. */
export type ExpectedLimits = Partial<Record<LimitOwner, Budget | "none">>;

/** What {@linkcode parseExpectedLimits} accepts, in words. */
export const EXPECTED_LIMITS_SYNTAX =
  "session=BURST/REFILL and ip=BURST/REFILL, one or both, in calls and calls per second, or none " +
  "for no limit, such as 'session=50/5,ip=100/10' or 'ip=none'";

/**
 * Parses `session=50/5,ip=100/10`.
 *
 * @throws {RangeError} if the text is not valid
 */
export function parseExpectedLimits(text: string): ExpectedLimits {
  const limits: ExpectedLimits = {};
  for (const part of text.split(",")) {
    const [, name = "", value = ""] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    const owner = OWNERS.find((one) => one === name);
    if (owner === undefined) throw new RangeError(`"${part.trim()}" is not one of them`);
    if (limits[owner] !== undefined) throw new RangeError(`${owner} is given twice`);
    limits[owner] = value === "none" ? "none" : parseBudget(value);
  }
  return limits;
}

function parseBudget(text: string): Budget {
  const match = /^(\d+)\/(\d+\.?\d*|\.\d+)$/.exec(text) ?? [];
  const [burst, refillPerSecond] = [Number(match[1]), Number(match[2])];
  const isRate = refillPerSecond > 0 && refillPerSecond <= 1e6;
  if (Number.isSafeInteger(burst) && burst >= 1 && isRate) return { burst, refillPerSecond };
  throw new RangeError(`"${text}" is not a budget such as 50/5`);
}
