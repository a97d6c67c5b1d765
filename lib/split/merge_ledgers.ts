import type { Ledger } from "../schema.ts";
import { openLedger, settleLedger } from "../client/ledger.ts";

/** The account of all shards together: every count is the sum of theirs. */
export function mergeLedgers(ledgers: readonly Ledger[]): Ledger {
  const sum = settleLedger(openLedger(), false);
  for (const { errorMessages: _, firstStrays: __, closeReasons: ___, ...ledger } of ledgers) {
    addInto(sum, ledger);
  }
  for (const texts of ["errorMessages", "firstStrays", "closeReasons"] as const) {
    const merged = Object.assign({}, ...ledgers.toReversed().map((one) => one[texts]));
    if (Object.keys(merged).length > 0) sum[texts] = merged;
  }
  return sum;
}

type Counts = { [name: string]: number | Counts };

/** Adds counts, and counts within counts, by name. */
function addInto(sum: Counts | Ledger, counts: Counts | Ledger): void {
  const target = sum as Counts;
  for (const [name, value] of Object.entries(counts as Counts)) {
    if (typeof value === "number") {
      target[name] = (Object.hasOwn(target, name) ? target[name] as number : 0) + value;
    } else addInto(target[name] as Counts, value);
  }
}
