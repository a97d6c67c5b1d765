/**
 * Ledgers in words and sums.
 *
 * @module
 */

import type { Ledger, Report } from "../schema.ts";
import { formatCount } from "./units.ts";

/** One kind of call that was not served. */
export interface Loss {
  count: number;
  text: string;
}

/** `{ A: 3, B: 1 }` as `A × 3, B × 1`, the most frequent first; empty for no codes. */
export function formatCodes(codes: Record<string, number>): string {
  return Object.entries(codes)
    .filter(([, count]) => count > 0)
    .sort(([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1))
    .map(([code, count]) => `${code} × ${formatCount(count)}`)
    .join(", ");
}

/** Every way in which calls of a ledger ended without a success, in words. */
export function losses(ledger: Ledger): Loss[] {
  const codes = formatCodes(ledger.errorCodes);
  const refused = ledger.toolError + ledger.rateLimited;
  return [
    { count: refused, text: `answered with an error${codes === "" ? "" : ` (${codes})`}` },
    { count: ledger.timeout, text: "without an answer in time" },
    { count: ledger.connectionLost, text: "lost with their connection" },
    { count: ledger.aborted, text: "outstanding when the run was interrupted" },
    { count: ledger.dropped, text: "never sent, as their slots were dropped" },
  ].filter(({ count }) => count > 0);
}

/** `50 of 100 calls were not served: 50 answered with an error (…)`; `null` where all were. */
export function describeLosses(ledger: Ledger): string | null {
  const all = losses(ledger);
  if (all.length === 0) return null;
  const unserved = ledger.sent - ledger.ok + ledger.dropped;
  const parts = all.map(({ count, text }) => `${formatCount(count)} ${text}`).join(", ");
  const planned = formatCount(ledger.sent + ledger.dropped);
  return `${formatCount(unserved)} of ${planned} calls were not served: ${parts}`;
}

/** The calls and stray frames of all scenarios together, warm-up left out. */
export function totalCalls(report: Report): {
  sent: number;
  ok: number;
  unanswered: number;
  stray: number;
  malformed: number;
} {
  const total = { sent: 0, ok: 0, unanswered: 0, stray: 0, malformed: 0 };
  for (const { ledger } of report.scenarios) {
    total.sent += ledger.sent;
    total.ok += ledger.ok;
    total.unanswered += ledger.timeout + ledger.connectionLost + ledger.aborted;
    total.stray += ledger.frames.duplicate + ledger.frames.orphan + ledger.frames.late;
    total.malformed += ledger.frames.malformed;
  }
  return total;
}
