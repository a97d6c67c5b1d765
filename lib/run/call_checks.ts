import type { Check, Ledger } from "../contract.ts";

/** The named counts that are not zero, as text. */
function nonZero(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`);
  return parts.join(", ") || "none";
}

function checkNone(name: string, counts: Record<string, number>): Check {
  const observed = nonZero(counts);
  return { name, passed: observed === "none", expected: "none", observed };
}

/** The checks that hold for the calls of every scenario; none where it sent no call. */
export function callChecks(
  { ledger, warmupLedger }: Record<"ledger" | "warmupLedger", Ledger>,
): Check[] {
  if (ledger.sent + warmupLedger.sent === 0) return [];
  const { timeout, connectionLost, toolError, rateLimited } = ledger;
  const { duplicate, orphan, malformed, late } = ledger.frames;
  const answered = ledger.ok + toolError + rateLimited;
  const errors = nonZero({ toolError, rateLimited });
  const checks: Check[] = [
    {
      name: "every message answered",
      passed: timeout + connectionLost === 0,
      expected: `${ledger.sent - ledger.aborted} of ${ledger.sent - ledger.aborted}`,
      observed: `${answered} of ${ledger.sent - ledger.aborted}` +
        (timeout + connectionLost === 0 ? "" : ` (${nonZero({ timeout, connectionLost })})`),
    },
    {
      name: "no error replies",
      passed: errors === "none",
      expected: "none",
      observed: errors === "none" ? errors : `${errors} (${nonZero(ledger.errorCodes)})`,
    },
    checkNone("no stray frames", { duplicate, orphan, malformed, late }),
  ];
  if (warmupLedger.sent === 0) return checks;
  return [
    ...checks,
    checkNone("warm-up without failures", {
      toolError: warmupLedger.toolError,
      rateLimited: warmupLedger.rateLimited,
      timeout: warmupLedger.timeout,
      connectionLost: warmupLedger.connectionLost,
    }),
  ];
}
