/**
 * "Key achievements": what was tested for real, the baseline, authentication and limits.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import {
  comparisonCriterion,
  type Criterion,
  protocolCriterion,
  realConnectionsCriterion,
  validityCriterion,
} from "../criteria.ts";
import { escapeMarkdown } from "../escape.ts";
import { insights } from "../insights.ts";
import { keyNumbers } from "../key_numbers.ts";
import { findScalar, findScenario } from "../lookup.ts";
import { mark, numberMark, scenarioMark, toneMark } from "../marks.ts";
import { formatQuantity } from "../units.ts";
import { list, stack } from "./blocks.ts";

/** The three achievements of the phase document, as far as this run supports them. */
export function renderAchievements(report: Report): string {
  return stack([
    "## 🎯 Key Achievements",
    "### 1. Real WebSocket Testing",
    list([
      realConnectionsCriterion(report),
      protocolCriterion(report),
      comparisonCriterion(report),
      validityCriterion(report),
    ].map(criterionLine)),
    "### 2. Baseline Performance Established",
    "**Measured:**",
    list(
      keyNumbers(report).map((number) =>
        `${numberMark(number)} ${number.label}: ${number.measured ? number.value : "not measured"}`
      ),
    ),
    ...performanceInsights(report),
    limitsTitle(report),
    authentication(report),
    connectionLimit(report),
  ]);
}

/** A criterion with its mark and what decided it, escaped. */
export function criterionLine({ text, met, note }: Criterion): string {
  return `${mark(met)} ${text}: ${escapeMarkdown(note)}`;
}

function performanceInsights(report: Report): string[] {
  const about = insights(report).filter(({ topic }) =>
    topic === "concurrency" || topic === "connections"
  );
  return about.length === 0 ? [] : [
    "**Insights:**",
    list(about.map(({ tone, text }) => `${toneMark(tone)} ${escapeMarkdown(text)}`)),
  ];
}

function authentication(report: Report): string {
  return stack([
    "**Authentication:**",
    list(checkLines(findScenario(report, "authentication"), "Authentication")),
  ]);
}

function connectionLimit(report: Report): string {
  const scenario = findScenario(report, "connection-limit");
  const limit = findScalar(scenario, "limit");
  const found = limit === undefined
    ? `${mark(null)} Connection limit: not measured`
    : `${scenarioMark(scenario)} Connection limit found: ` +
      escapeMarkdown(formatQuantity(limit.value, limit.unit));
  return stack([
    "**Connection limits:**",
    list([found, ...checkLines(scenario, "Behaviour at the limit")]),
  ]);
}

/** The title claims what both scenarios have shown, and nothing else. */
function limitsTitle(report: Report): string {
  const statuses = ["authentication", "connection-limit"].map((name) =>
    findScenario(report, name)?.status
  );
  const validated = statuses.every((status) => status === "passed") ? " Validated" : "";
  return `### 3. Authentication & Connection Limits${validated}`;
}

/** Every check of a scenario with what was observed; one line where there is none. */
function checkLines(scenario: ScenarioReport | undefined, subject: string): string[] {
  if (scenario === undefined) return [`${mark(null)} ${subject}: not measured in this run`];
  // That the ledger of a skipped one adds up is no news of its subject.
  if (scenario.status === "skipped") return [notMeasuredLine(scenario, subject)];
  const checks = scenario.checks.map(({ name, passed, observed }) =>
    `${mark(passed)} ${escapeMarkdown(name)}: ${escapeMarkdown(observed)}`
  );
  const missing = scenario.notMeasured.map(({ name, reason }) =>
    `${mark(null)} ${escapeMarkdown(name)}: not measured (${escapeMarkdown(reason)})`
  );
  const lines = [...checks, ...missing];
  return lines.length > 0 ? lines : [notMeasuredLine(scenario, subject)];
}

function notMeasuredLine({ reason, status }: ScenarioReport, subject: string): string {
  return `${mark(null)} ${subject}: not measured (${escapeMarkdown(reason ?? status)})`;
}
