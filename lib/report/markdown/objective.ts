/**
 * "Objective" and "Completed tasks".
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { findScenario } from "../lookup.ts";
import { scenarioMark, scenarioTally } from "../marks.ts";
import { phaseOf } from "../phase.ts";
import { targetKind } from "../run_facts.ts";
import { coreScenarioNames, scenarioSubject, scenarioTitle } from "../scenario_names.ts";
import { numbered, stack } from "./blocks.ts";

/** What the run set out to do. */
export function renderObjective(report: Report): string {
  return stack([
    "## 🎯 Objective",
    `Real WebSocket connections to ${markdownCode(report.target.url)} (${targetKind(report)}) ` +
    phaseOf(report).objective,
  ]);
}

/** The scenarios of the phase document and any further ones, each with its mark. */
export function renderCompletedTasks(report: Report): string {
  const core = coreScenarioNames(report);
  const further = report.scenarios.map(({ name }) => name).filter((name) => !core.includes(name));
  return stack([
    "## ✅ Completed Tasks",
    "**Test Scenarios:**",
    numbered([...core, ...further].map((name) => taskLine(report, name))),
    `**${tallySentence(report)}**`,
  ]);
}

function taskLine(report: Report, name: string): string {
  const scenario = findScenario(report, name);
  const title = escapeMarkdown(scenarioTitle(name));
  const subject = escapeMarkdown(scenarioSubject(name, scenario?.question));
  const outcome = scenario === undefined ? "not measured in this run" : scenario.status;
  const reason = scenario?.reason == null ? "" : `: ${escapeMarkdown(scenario.reason)}`;
  return `${scenarioMark(scenario)} **${title}** - ${subject} (${outcome}${reason})`;
}

function tallySentence(report: Report): string {
  const passed = report.scenarios.filter(({ status }) => status === "passed").length;
  return passed > 0 && passed === report.scenarios.length
    ? `All ${passed} Tests: ✅ PASSED`
    : `Tests: ${scenarioTally(report)}`;
}
