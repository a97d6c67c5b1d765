/**
 * The limits that a server is said to have, and whether what was found agrees.
 *
 * @module
 */

import type { Check, Interval } from "../schema.ts";

/** A budget of calls: so many at once, then so many a second. */
export interface Budget {
  burst: number;
  refillPerSecond: number;
}

/** Whose budget it is. */
export const BUDGET_OWNERS = ["session", "ip"] as const;
export type BudgetOwner = typeof BUDGET_OWNERS[number];

/** What is expected of each; `"none"`: no limit. */
export type ExpectedLimits = Partial<Record<BudgetOwner, Budget | "none">>;

/** What {@linkcode parseExpectedLimits} accepts, in words. */
export const EXPECTED_LIMITS_SYNTAX =
  "session=BURST/REFILL and ip=BURST/REFILL, one or both, in calls and calls a second, or none for no " +
  "limit, such as 'session=50/5,ip=100/10' or 'ip=none'";

/**
 * Reads `session=50/5,ip=100/10`.
 *
 * @throws {RangeError} with what is wrong
 */
export function parseExpectedLimits(text: string): ExpectedLimits {
  const limits: ExpectedLimits = {};
  for (const part of text.split(",")) {
    const [, name = "", value = ""] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    const owner = BUDGET_OWNERS.find((one) => one === name);
    if (owner === undefined) throw new RangeError(`"${part.trim()}" is none of them`);
    if (limits[owner] !== undefined) throw new RangeError(`${owner} is given twice`);
    limits[owner] = value === "none" ? "none" : parseBudget(value);
  }
  return limits;
}

function parseBudget(text: string): Budget {
  const [, burst, refill] = /^(\d+)\/(\d+\.?\d*|\.\d+)$/.exec(text) ?? [];
  const budget = { burst: Number(burst), refillPerSecond: Number(refill) };
  const { burst: calls, refillPerSecond: rate } = budget;
  if (Number.isSafeInteger(calls) && calls >= 1 && rate > 0 && rate <= 1e6) return budget;
  throw new RangeError(`"${text}" is no budget such as 50/5`);
}

/** What was found of a budget: all that fits lies within these. */
export interface FoundBudget {
  burst: Interval;
  refillPerSecond: Interval;
}

/** What is expected may be this far outside of what was found, as a share of it; a burst at least one call. */
const TOLERANCE = 0.1;
/** An interval that reaches further than this share to either side of its middle decides nothing. */
const WIDEST = 0.3;

/** The check of one number, or `undecided`: it lies within what was found, which is too wide to say so. */
export type Judgement = Check | { name: string; undecided: string };

/** Holds what was found of an owner's budget against what is expected. */
export function judgeBudget(
  owner: BudgetOwner,
  { expected, found }: { expected: Budget; found: FoundBudget },
): Judgement[] {
  return [
    judge(`${owner} burst is as expected`, {
      expected: expected.burst,
      found: found.burst,
      tolerance: Math.max(1, TOLERANCE * expected.burst),
      unit: "calls",
    }),
    judge(`${owner} refill is as expected`, {
      expected: expected.refillPerSecond,
      found: found.refillPerSecond,
      tolerance: TOLERANCE * expected.refillPerSecond,
      unit: "calls/s",
    }),
  ];
}

function judge(
  name: string,
  { expected, found: [low, high], tolerance, unit }: {
    expected: number;
    found: Interval;
    tolerance: number;
    unit: string;
  },
): Judgement {
  const observed = low === high
    ? `${shown(low)} ${unit}`
    : `between ${shown(low)} and ${shown(high)} ${unit}`;
  const passed = low - tolerance <= expected && expected <= high + tolerance;
  const isWide = high === Infinity ||
    (high - low > 2 * tolerance && high - low > WIDEST * (high + low));
  if (passed && isWide) {
    return { name, undecided: `it is only known to be ${observed}, which ${expected} is` };
  }
  const within = `${expected} ${unit}, give or take ${shown(tolerance)}`;
  return { name, passed, expected: within, observed };
}

/** With three significant digits. */
function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
