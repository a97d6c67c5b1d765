/**
 * Targets on servers of the tests, and ledgers to compare with.
 *
 * @module
 */

import type { Ledger } from "../../lib/schema.ts";
import { openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { Target, type TargetOptions } from "../../lib/client/target.ts";
import { exai } from "../../lib/protocols/exai.ts";
import { systemClock } from "../../lib/client/clock.ts";

/** A token that the reference server takes for one. */
export const TOKEN = "test-token-0123456789";

/** What every call of a test says, unless it says otherwise. */
export const STATUS = { tool: "status", argsJson: "{}" };

/** Whether sockets are forbidden here: such tests are ignored. */
export const NO_NET = Deno.permissions.querySync({ name: "net" }).state !== "granted";

/** Calls and handshakes that are never answered end after this time, where a test waits for that. */
export const SHORT_TIMEOUT_MS = 200;

/** A target at this address, with a timeout that even a busy machine does not reach. */
export function targetAt(url: string, options: Partial<TargetOptions> = {}): Target {
  return new Target({
    url,
    protocol: exai,
    token: TOKEN,
    headers: {},
    subprotocols: [],
    caCert: null,
    timeoutMs: 10_000,
    clock: systemClock,
    signal: new AbortController().signal,
    ...options,
  });
}

/** A ledger without the words that it keeps. */
export function countsOf({ errorMessages: _, firstStrays: __, ...counts }: Ledger): Ledger {
  return counts;
}

/** The counts of a ledger that differ from zero; all others must be zero. */
export type LedgerCounts = Partial<Omit<Ledger, "frames">> & { frames?: Partial<Ledger["frames"]> };

/** A whole ledger with these counts. */
export function ledgerWith({ frames, ...counts }: LedgerCounts): Ledger {
  const zero = settleLedger(openLedger(), false);
  return { ...zero, ...counts, frames: { ...zero.frames, ...frames } };
}
