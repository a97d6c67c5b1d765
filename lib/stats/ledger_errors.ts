import type { Ledger, NewErrors } from "../schema.ts";
import { regularisedBeta } from "./incomplete_beta.ts";

/** Errors of sent calls. Calls aborted by an interrupt are not errors, dropped slots not calls. */
const ERROR_KINDS = ["toolError", "rateLimited", "timeout", "connectionLost"] as const;

const SIGNIFICANCE = 0.01;

/** Number of sent calls that ended in an error. */
export function countErrors(ledger: Ledger): number {
  return ERROR_KINDS.reduce((count, kind) => count + ledger[kind], 0);
}

/**
 * Finds the errors, dropped slots and error codes that are more frequent than chance explains,
 * compared with all earlier runs together. What no earlier run had always counts.
 */
export function findNewErrors(olds: readonly Ledger[], now: Ledger): Omit<NewErrors, "scenario">[] {
  const kinds = [...ERROR_KINDS, "dropped" as const].map((kind) => ({
    kind: kind as string,
    countOf: (ledger: Ledger) => ledger[kind],
    callsOf: ({ sent, dropped }: Ledger) => kind === "dropped" ? sent + dropped : sent,
  }));
  const codes = Object.keys(now.errorCodes).map((code) => ({
    kind: `code ${code}`,
    countOf: ({ errorCodes }: Ledger) => Object.hasOwn(errorCodes, code) ? errorCodes[code] : 0,
    callsOf: ({ sent }: Ledger) => sent,
  }));
  return [...kinds, ...codes].flatMap(({ kind, countOf, callsOf }) => {
    const [old, calls] = [countOf, callsOf].map((of) =>
      olds.reduce((sum, ledger) => sum + of(ledger), 0)
    );
    const later = countOf(now);
    const share = callsOf(now) / (calls + callsOf(now));
    const p = chanceOfSoMany(later, { all: old + later, share });
    return later > 0 && (old === 0 || p < SIGNIFICANCE) ? [{ kind, old, new: later, p }] : [];
  });
}

/**
 * The probability that at least `count` of `all` errors fall into a run that made `share` of all
 * calls, if each call is equally likely to fail: the conditional binomial test of two Poisson rates
 * (J. Przyborowski and H. Wilenski, Homogeneity of Results in Testing Samples from Poisson Series,
 * Biometrika 31, 1940).
 */
export function chanceOfSoMany(
  count: number,
  { all, share }: { all: number; share: number },
): number {
  if (count === 0 || !(share < 1)) return 1;
  return regularisedBeta(share, count, all - count + 1);
}
