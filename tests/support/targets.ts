import type { Ledger } from "../../lib/schema.ts";
import { openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { Target, type TargetOptions } from "../../lib/client/target.ts";
import { exai } from "../../lib/protocols/exai.ts";
import { systemClock } from "../../lib/client/clock.ts";

/** A token that the reference server accepts as a valid one. */
export const TOKEN = "test-token-0123456789";

/** The default message of the tests. */
export const STATUS = { tool: "status", argsJson: "{}" };

/** True in a bare `deno test`; tests with sockets are then ignored. */
export const NO_NET = Deno.permissions.querySync({ name: "net" }).state !== "granted";

/** For tests that wait for a timeout. */
export const SHORT_TIMEOUT_MS = 200;

/** A target with a timeout that even a busy machine does not reach. */
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

/** A ledger without its texts. */
export function countsOf({ errorMessages: _, firstStrays: __, ...counts }: Ledger): Ledger {
  return counts;
}

/** The counts of a ledger that are not zero. */
export type LedgerCounts = Partial<Omit<Ledger, "frames">> & { frames?: Partial<Ledger["frames"]> };

/** A complete ledger with these counts; all others are zero. */
export function ledgerWith({ frames, ...counts }: LedgerCounts): Ledger {
  const zero = settleLedger(openLedger(), false);
  return { ...zero, ...counts, frames: { ...zero.frames, ...frames } };
}
