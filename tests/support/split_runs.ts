import type { Report } from "../../lib/schema.ts";
import { expectedCalls } from "./run_scenarios.ts";

/** What a server should have counted of a merged run, with the preflights of its parts. */
export function expectedOfParts({ scenarios }: Report, parts: number) {
  const expected = expectedCalls(
    scenarios.flatMap(({ ledger, warmupLedger }) => [ledger, warmupLedger]),
  );
  // A preflight makes one call, and a pair to detect a cache. They are in no ledger.
  const preflights = 3 * parts;
  const { received, served } = expected;
  return { ...expected, received: received + preflights, served: served + preflights };
}
