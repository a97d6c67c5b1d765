import type { Check, Ledger } from "../schema.ts";
import { brokenEquations } from "../client/ledger.ts";
import { describeClose } from "./describe_end.ts";

/** The named counts that are not zero, as text. */
function nonZero(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`);
  return parts.join(", ") || "none";
}

function checkNone(kind: string, name: string, counts: Record<string, number>): Check {
  const observed = nonZero(counts);
  return { kind, name, passed: observed === "none", expected: "none", observed };
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
    withFirst(checkNone("strayFrames", "no stray frames", stray), ledger.firstStrays),
  ];
  if (warmupLedger.sent === 0 || overloads) return checks;
  return [
    ...checks,
    withFirst(
      checkNone("warmupFailures", "warm-up without failures", {
        toolError: warmupLedger.toolError,
        rateLimited: warmupLedger.rateLimited,
        timeout: warmupLedger.timeout,
        connectionLost: warmupLedger.connectionLost,
        ...strayFrames(warmupLedger),
      }),
      { ...warmupLedger.errorMessages, ...warmupLedger.firstStrays },
    ),
  ];
}

/** With the first of the server's words or frames by each name. */
function withFirst(check: Check, texts: Record<string, string> | undefined): Check {
  const words = Object.entries(texts ?? {}).map(([name, text]) => `; first ${name}: ${text}`);
  return check.passed ? check : { ...check, observed: check.observed + words.join("") };
}

/** Error codes with their counts, and the server's first words with each. */
function errorWords({ errorCodes, errorMessages = {} }: Ledger): string {
  return Object.entries(errorCodes).map(([code, count]) => {
    const message = Object.hasOwn(errorMessages, code) ? `: ${errorMessages[code]}` : "";
    return `${code} ${count}${message}`;
  }).join("; ");
}

/** Frames that belong to no call in flight. */
function strayFrames(ledger: Ledger): Record<string, number> {
  const { duplicate, orphan, malformed } = ledger.frames;
  return { duplicate, orphan, malformed };
}

function answerChecks(ledger: Ledger): Check[] {
  const { timeout, connectionLost, toolError, rateLimited } = ledger;
  const wanted = ledger.sent - ledger.aborted;
  const seen = ledger.ok + toolError + rateLimited;
  const errors = nonZero({ toolError, rateLimited });
  return [
    {
      kind: "answered",
      name: "every message answered",
      passed: timeout + connectionLost === 0,
      expected: `${wanted} of ${wanted}`,
      observed: `${seen} of ${wanted}` +
        (timeout + connectionLost === 0
          ? ""
          : ` (${nonZero({ timeout, connectionLost })}${
            connectionLost === 0 ? "" : closes(ledger)
          })`),
      seen,
      wanted,
    },
    {
      kind: "errorReplies",
      name: "no error replies",
      passed: errors === "none",
      expected: "none",
      observed: errors === "none" ? errors : `${errors} (${errorWords(ledger)})`,
    },
  ];
}

/** How connections were closed: `; close 4008 Rate limited.` */
function closes({ closeCodes, closeReasons = {} }: Ledger): string {
  const words = Object.keys(closeCodes).map((name) =>
    describeClose({ code: Number(name), reason: closeReasons[name] ?? "" })
  );
  return words.map((one) => `; ${one}`).join("");
}

const ALL_COUNTED = "every call and every frame counted once";

/** Of ledgers without an entry there is nothing to check. */
export function reconciliation(...ledgers: Ledger[]): Check[] {
  if (ledgers.every(({ sent, frames }) => sent + frames.received === 0)) return [];
  const broken = ledgers.flatMap(brokenEquations);
  return [{
    kind: "reconciles",
    name: "ledger reconciles",
    passed: broken.length === 0,
    expected: ALL_COUNTED,
    observed: broken.length === 0 ? ALL_COUNTED : broken.join("; "),
  }];
}
