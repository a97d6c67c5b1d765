import type { Reason, Report, ScenarioReport } from "../schema.ts";

/** Exit codes. */
export const EXIT = {
  passed: 0,
  checkFailed: 1,
  usage: 2,
  targetUnusable: 3,
  thresholdMissed: 4,
  regression: 5,
  invalid: 6,
  interrupted: 130,
} as const;

/** The reason of an interrupted run. */
export const INTERRUPTED: Reason = {
  code: EXIT.interrupted,
  kind: "interrupted",
  scenario: null,
  message: "interrupted before the end",
};

/** With several reasons, the first of these is the exit code. */
const PRECEDENCE: readonly number[] = [2, 3, 130, 1, 6, 4, 5];

/** The verdict on a run, given all reasons against it. */
export function verdictOf(reasons: readonly Reason[]): Report["verdict"] {
  const exitCode = PRECEDENCE.find((code) => reasons.some((reason) => reason.code === code)) ??
    EXIT.passed;
  const interrupted = reasons.some(({ code }) => code === EXIT.interrupted);
  const status = interrupted ? "interrupted" : exitCode === EXIT.passed ? "passed" : "failed";
  return { status, exitCode, reasons: [...reasons] };
}

/** One reason for each failed check of a scenario. */
export function failedCheckReasons(
  { name: scenario, checks }: Pick<ScenarioReport, "name" | "checks">,
): Reason[] {
  return checks.filter(({ passed }) => !passed).map(({ kind, name, expected, observed }) => ({
    code: EXIT.checkFailed,
    kind,
    scenario,
    message: `${name}: expected ${expected}, observed ${observed}`,
  }));
}
