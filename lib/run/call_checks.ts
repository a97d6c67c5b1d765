import type { Check, Ledger, ScenarioReport } from "../schema.ts";
import { brokenEquations } from "../client/ledger.ts";
import { describeClose } from "./describe_end.ts";

/** `timeout 2, connectionLost 1`: the counts above zero, or `none`. */
function nonZero(counts: Record<string, number>): string {
  return Object.entries(counts).filter(([, count]) => count > 0)
    .map((one) => one.join(" ")).join(", ") || "none";
}

function checkNone(kind: string, name: string, counts: Record<string, number>): Check {
  const observed = nonZero(counts);
  return { kind, name, passed: observed === "none", expected: "none", observed };
}

/**
 * The checks on the calls of every scenario; none if it sent no calls. A scenario that overloads
 * the server may have failed calls and late replies.
 */
export function callChecks(
  { ledger, warmupLedger, overloads = false }: Pick<
    ScenarioReport,
    "ledger" | "warmupLedger" | "overloads"
  >,
): Check[] {
  if (ledger.sent + warmupLedger.sent === 0) return [];
  // A late reply to an aborted call is the client's doing.
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

/** Adds the first text that the server sent, by name, to a failed check. */
function withFirst(check: Check, texts: Record<string, string> | undefined): Check {
  if (check.passed) return check;
  const firsts = Object.entries(texts ?? {}).map(([name, text]) => `; first ${name}: ${text}`);
  return { ...check, observed: check.observed + firsts.join("") };
}

/** Error codes with their counts, and the first message of each. */
function errorWords({ errorCodes, errorMessages = {} }: Ledger): string {
  return Object.entries(errorCodes).map(([code, count]) => {
    const message = Object.hasOwn(errorMessages, code) ? `: ${errorMessages[code]}` : "";
    return `${code} ${count}${message}`;
  }).join("; ");
}

/** Counts of frames that belong to no call in flight. */
function strayFrames({ frames: { duplicate, orphan, malformed } }: Ledger): Record<string, number> {
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

/** How connections were closed: `; close 4008 Rate limited`. */
function closesOf({ closeCodes, closeReasons = {} }: Ledger): string {
  return Object.keys(closeCodes).map((name) =>
    `; ${describeClose({ code: Number(name), reason: closeReasons[name] ?? "" })}`
  ).join("");
}

const ALL_COUNTED = "every call and every frame counted once";

/** Checks that ledgers add up; no check if they are empty. */
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
