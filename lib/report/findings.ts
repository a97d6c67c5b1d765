/**
 * What is wrong with a run, as plain sentences, the gravest first: why it failed, where a limiter
 * began, what could not be trusted and what was left out. Shared by every format.
 *
 * @module
 */

import type { RateLimit, Report, ScenarioReport } from "../schema.ts";
import { describeLosses } from "./ledger.ts";
import { formatCount } from "./units.ts";

export interface Finding {
  level: typeof LEVELS[number];
  /** The scenario that it is about; `null`: the whole run. */
  scenario: string | null;
  /** Plain text, possibly with a server's own words in it: escape it. */
  text: string;
}

/** From the gravest down. */
const LEVELS = ["failure", "warning", "note"] as const;

/** Every finding of a run, none twice; empty where nothing is wrong and nothing was left out. */
export function findings(report: Report): Finding[] {
  const all = [
    ...verdictFindings(report),
    ...(report.rateLimit === null || isTold(report) ? [] : [rateLimitFinding(report.rateLimit)]),
    ...report.scenarios.flatMap((scenario) => scenarioFindings(report, scenario)),
  ];
  const unique = all.filter((finding, index) =>
    all.findIndex((other) => other.text === finding.text && other.scenario === finding.scenario) ===
      index
  );
  return LEVELS.flatMap((level) => unique.filter((finding) => finding.level === level));
}

function verdictFindings(report: Report): Finding[] {
  const reasons = report.verdict.reasons.map(({ scenario, message }): Finding => ({
    level: "failure",
    scenario,
    text: message,
  }));
  const interrupted = report.verdict.status === "interrupted";
  return reasons.length > 0 || !interrupted ? reasons : [{
    level: "failure",
    scenario: null,
    text: "The run was interrupted: the numbers are those of the part that was measured.",
  }];
}

/** Whether the verdict's reasons already name the limiter as the cause. */
function isTold({ verdict, rateLimit }: Report): boolean {
  return verdict.reasons.some(({ message }) =>
    message.includes("--max-rate") && message.includes(`message ${rateLimit?.atCall} `)
  );
}

/** Where the limiter began, in the server's words, and the two ways out. */
export function rateLimitFinding(limit: RateLimit): Finding {
  return {
    level: "warning",
    scenario: limit.scenario,
    text: `The server's rate limiter began at message ${formatCount(limit.atCall)} of a session: ` +
      `"${limit.message}". Two ways out: raise the server's limits, or stay under them with --max-rate.`,
  };
}

function scenarioFindings(report: Report, scenario: ScenarioReport): Finding[] {
  const { name, ledger, validity } = scenario;
  // What fails calls on purpose, and passed, has found what it looked for.
  const level = scenario.status === "failed" ? "failure" : scenario.overloads ? "note" : "warning";
  const told = report.verdict.reasons.some((reason) => reason.scenario === name);
  const loss = told ? null : describeLosses(ledger);
  const invalid = validity.valid || validity.warnings.length > 0
    ? []
    : ["The client itself could have bounded these numbers."];
  const left = scenario.notMeasured.map((part) => `${part.name} was not measured: ${part.reason}`);
  const skipped = scenario.status === "skipped"
    ? [`The scenario was skipped: ${scenario.reason ?? "no reason was given"}`]
    : [];
  return [
    ...(loss === null ? [] : [{ level, scenario: name, text: `${loss}.` } as const]),
    ...[...validity.warnings, ...invalid].map((text): Finding => ({
      level: "warning",
      scenario: name,
      text,
    })),
    ...[...skipped, ...left, ...(scenario.notes ?? [])].map((text): Finding => ({
      level: "note",
      scenario: name,
      text,
    })),
  ];
}
