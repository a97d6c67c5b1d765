/**
 * The first screen of the page: what was measured, the verdict, five numbers, what is wrong.
 *
 * @module
 */

import type { Report } from "../../contract.ts";
import { type Finding, findings } from "../findings.ts";
import { type KeyNumber, keyNumbers } from "../key_numbers.ts";
import { numberMark, scenarioTally, verdictMark, verdictWord } from "../marks.ts";
import { runDuration, targetKind } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { formatTimestamp } from "../units.ts";
import { html, type Markup } from "./markup.ts";

/** Title, verdict, cards and findings. */
export function summaryMarkup(report: Report): Markup {
  const { url, tool, protocol } = report.target;
  const verdict = report.verdict.status === "passed" ? "good" : "bad";
  return html`
    <header>
      <h1>Phase 2: Real Integration Tests</h1>
      <p class="verdict ${verdict}">${verdictMark(report)} ${verdictWord(report)}: ${scenarioTally(
        report,
      )}</p>
      <p>Calls of the tool <code>${tool}</code> over real WebSocket connections to ${targetKind(
        report,
      )} (<code>${url}</code>), protocol ${protocol}, profile ${report.profile}.
    Measured ${formatTimestamp(report.startedAt)}, in ${runDuration(
      report,
    )}. Only calls that were served count in latency and throughput.</p>
    </header>
    <ul class="cards">
    ${keyNumbers(report).map(card)}
    </ul>
    ${findingsMarkup(findings(report))}
  `;
}

function card(number: KeyNumber): Markup {
  return html`<li><span class="label">${number.label}</span>
<strong>${number.value}</strong>${number.measured ? ` ${numberMark(number)}` : ""}
<span class="label">${number.comparison}</span></li>`;
}

const LEVEL_MARKS: Record<Finding["level"], string> = { failure: "❌", warning: "⚠️", note: "–" };

function findingsMarkup(all: Finding[]): Markup {
  if (all.length === 0) return html`<p>What is wrong: nothing that this run could see.</p>`;
  const items = all.map(({ level, scenario, text }) => {
    const about = scenario === null ? "" : `${scenarioTitle(scenario)}: `;
    return html`<li class="${level}">${LEVEL_MARKS[level]} ${about}${text}</li>`;
  });
  return html`<h2>What is wrong or left out</h2>
<ul class="marked">
${items}
</ul>`;
}
