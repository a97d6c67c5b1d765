import type { Check, Ledger, ScenarioReport } from "../schema.ts";
import { brokenEquations } from "../client/ledger.ts";
import { describeClose } from "./describe_end.ts";

/** The named counts that are not zero, as text. */
function nonZero(counts: Record<string, number>): string {
  return Object.entries(counts).filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`).join(", ") || "none";
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
  { ledger, warmupLedger, overloads = false }: Pick<
    ScenarioReport,
    "ledger" | "warmupLedger" | "overloads"
  >,
): Check[] {
  if (ledger.sent + warmupLedger.sent === 0) return [];
  // The reply to an aborted call is late by the client's own doing.
  const unexcused = Math.max(0, ledger.frames.late - ledger.aborted);
  const stray = { ...strayFrames(ledger), ...(overloads ? {} : { late: unexcused }) };
  const { toolError, rateLimited, timeout, connectionLost } = warmupLedger;
  const failures = { toolError, rateLimited, timeout, connectionLost };
  return [
    ...overloads ? [] : answerChecks(ledger),
    withFirst(checkNone("strayFrames", "no stray frames", stray), ledger.firstStrays),
    ...warmupLedger.sent === 0 || overloads ? [] : [withFirst(
      checkNone("warmupFailures", "warm-up without failures", {
        ...failures,
        ...strayFrames(warmupLedger),
      }),
      { ...warmupLedger.errorMessages, ...warmupLedger.firstStrays },
    )],
  ];
}

/** With the first of the server's words or frames by each name. */
function withFirst(check: Check, texts: Record<string, string> | undefined): Check {
  if (check.passed) return check;
  const words = Object.entries(texts ?? {}).map(([name, text]) => `; first ${name}: ${text}`);
  return { ...check, observed: check.observed + words.join("") };
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
  const { sent, aborted, ok, timeout, connectionLost, toolError, rateLimited } = ledger;
  const wanted = sent - aborted;
  const seen = ok + toolError + rateLimited;
  const lost = nonZero({ timeout, connectionLost });
  const closes = connectionLost === 0 ? "" : closesOf(ledger);
  const errors = checkNone("errorReplies", "no error replies", { toolError, rateLimited });
  const isAnswered = lost === "none";
  return [
    {
      kind: "answered",
      name: "every message answered",
      passed: isAnswered,
      expected: `${wanted} of ${wanted}`,
      observed: `${seen} of ${wanted}${isAnswered ? "" : ` (${lost}${closes})`}`,
      seen,
      wanted,
    },
    errors.passed ? errors : { ...errors, observed: `${errors.observed} (${errorWords(ledger)})` },
  ];
}

/** How connections were closed: `; close 4008 Rate limited.` */
function closesOf({ closeCodes, closeReasons = {} }: Ledger): string {
  return Object.keys(closeCodes).map((name) =>
    `; ${describeClose({ code: Number(name), reason: closeReasons[name] ?? "" })}`
  ).join("");
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
