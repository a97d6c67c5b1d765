/**
 * Which calls of a ledger are errors.
 *
 * @module
 */

import type { Ledger } from "../schema.ts";

/**
 * The outcomes of a sent call that are errors. A call aborted by an interrupt is none, and a slot
 * that was never sent is no call.
 */
export const ERROR_KINDS = ["toolError", "rateLimited", "timeout", "connectionLost"] as const;

/** How many sent calls ended in an error. */
export function countErrors(ledger: Ledger): number {
  return ERROR_KINDS.reduce((count, kind) => count + ledger[kind], 0);
}
