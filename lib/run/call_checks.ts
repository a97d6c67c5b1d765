import type { Check, Ledger } from "../schema.ts";

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

/**
 * The checks that hold for the calls of every scenario; none where it sent no call. Of one that overloads
 * the server, calls may fail and replies come late.
 */
export function callChecks(
  { ledger, warmupLedger, overloads = false }: {
    ledger: Ledger;
    warmupLedger: Ledger;
    overloads?: boolean;
  },
): Check[] {
  if (ledger.sent + warmupLedger.sent === 0) return [];
  // The reply to an aborted call is late by the client's own doing.
  const unexcused = Math.max(0, ledger.frames.late - ledger.aborted);
  const stray = { ...strayFrames(ledger), ...(overloads ? {} : { late: unexcused }) };
  const checks = [
    ...(overloads ? [] : answerChecks(ledger)),
    checkNone("no stray frames", stray),
  ];
  if (warmupLedger.sent === 0) return checks;
  return [
    ...checks,
    checkNone("warm-up without failures", {
      toolError: warmupLedger.toolError,
      rateLimited: warmupLedger.rateLimited,
      timeout: warmupLedger.timeout,
      connectionLost: warmupLedger.connectionLost,
      ...strayFrames(warmupLedger),
    }),
  ];
}

/** Frames that belong to no call that waited for them. */
function strayFrames(ledger: Ledger): Record<string, number> {
  const { duplicate, orphan, malformed } = ledger.frames;
  return { duplicate, orphan, malformed };
}

function answerChecks(ledger: Ledger): Check[] {
  const { timeout, connectionLost, toolError, rateLimited } = ledger;
  const answered = ledger.ok + toolError + rateLimited;
  const errors = nonZero({ toolError, rateLimited });
  return [
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
  ];
}
