/**
 * Do the limits that were found agree with those that are expected?
 *
 * @module
 */

import type { Budget, BudgetOwner } from "../../lib/run/expected_limits.ts";
import type { Check, Interval } from "../../lib/schema.ts";

/** What was found of a budget: every budget that fits lies within these. */
export interface FoundBudget {
  burst: Interval;
  refillPerSecond: Interval;
}

/** The expected number may be off by this share of it, a burst by at least one call. */
const TOLERANCE = 0.1;
/** An interval that extends further than this share to either side of its middle decides nothing. */
const WIDEST = 0.3;

/** The check of one number; `undecided`: the interval found contains it, but is too wide to confirm it. */
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
    return { name, undecided: `it is only known to be ${observed}, which does not rule it out` };
  }
  const within = `${expected} ${unit}, give or take ${shown(tolerance)}`;
  return { kind: "expectedLimit", name, passed, expected: within, observed };
}

/** With three significant digits. */
function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
