/**
 * The marks of a report. Each is computed: from a check, or from the status of a scenario.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";
import type { KeyNumber } from "./key_numbers.ts";
import type { Tone } from "./insights.ts";
import { DASH } from "./units.ts";

/** ✅ for true, ❌ for false, a dash for what was not measured. */
export function mark(passed: boolean | null): string {
  return passed === null ? DASH : passed ? "✅" : "❌";
}

/** The mark of a scenario; one that was skipped, interrupted or never ran has a dash. */
export function scenarioMark(scenario: Pick<ScenarioReport, "status"> | undefined): string {
  return mark(
    scenario?.status === "passed" ? true : scenario?.status === "failed" ? false : null,
  );
}

/** The mark of a number: that of its scenario, or ⚠️ where that says that it is not valid. */
export function numberMark({ measured, scenario }: KeyNumber): string {
  if (!measured) return DASH;
  return scenario?.status === "passed" && !scenario.validity.valid ? "⚠️" : scenarioMark(scenario);
}

/** ✅ for good, ⚠️ for bad news, a dash for an observation. */
export function toneMark(tone: Tone): string {
  return tone === "good" ? "✅" : tone === "bad" ? "⚠️" : DASH;
}

/** The run in one word: complete, failed, interrupted, or not measured (nothing ran at all). */
export function verdictWord(report: Report): string {
  const { status } = report.verdict;
  if (status === "interrupted") return "INTERRUPTED";
  if (report.scenarios.length === 0) return "NOT MEASURED";
  return status === "passed" ? "COMPLETE" : "FAILED";
}

/** The mark beside {@linkcode verdictWord}. */
export function verdictMark(report: Report): string {
  return report.verdict.status === "passed" ? "✅" : "❌";
}

/** `5 of 6 scenarios passed, 1 skipped`. */
export function scenarioTally(report: Report): string {
  const count = (status: ScenarioReport["status"]) =>
    report.scenarios.filter((scenario) => scenario.status === status).length;
  if (report.scenarios.length === 0) return "no scenario was run";
  const others = (["failed", "interrupted", "skipped"] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `, ${count(status)} ${status}`);
  return `${count("passed")} of ${report.scenarios.length} scenarios passed${others.join("")}`;
}
