/**
 * The first screen of the page: what was measured, the verdict, five numbers, what is wrong.
 *
 * @module
 */

import type { Report } from "../../contract.ts";
import { type Finding, findings } from "../findings.ts";
import { calledTools } from "../heavy.ts";
import { type KeyNumber, keyNumbers } from "../key_numbers.ts";
import { numberMark, scenarioTally, verdictMark, verdictWord } from "../marks.ts";
import { phaseOf } from "../phase.ts";
import { runDuration, targetKind } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { formatTimestamp } from "../units.ts";
import { type Markup, markup } from "./markup.ts";

/** Title, verdict, cards and findings. */
export function summaryMarkup(report: Report): Markup {
  const { url, protocol } = report.target;
  const tools = calledTools(report);
  const named = tools.map((tool, index) => markup`${index === 0 ? "" : ", "}<code>${tool}</code>`);
  const tone = report.verdict.status === "passed" ? "good" : "bad";
  const verdict = `${verdictMark(report)} ${verdictWord(report)}: ${scenarioTally(report)}`;
  const when = `${formatTimestamp(report.startedAt)}, in ${runDuration(report)}`;
  return markup`<header>
<h1>${phaseOf(report).title}</h1>
<p class="verdict ${tone}">${verdict}</p>
<p>Calls of the tool${tools.length === 1 ? "" : "s"} ${named} over real WebSocket connections to
${targetKind(report)} (<code>${url}</code>), protocol ${protocol}, profile ${report.profile}.
Measured ${when}. Only calls that were served count in latency and throughput.</p>
</header>
<ul class="cards">
${keyNumbers(report).map(card)}
</ul>
${findingsMarkup(findings(report))}`;
}

function card(number: KeyNumber): Markup {
  const mark = number.measured ? ` ${numberMark(number)}` : "";
  return markup`<li><span class="label">${number.label}</span>
<strong>${number.value}</strong>${mark}
<span class="label">${number.comparison}</span></li>`;
}

const LEVEL_MARKS: Record<Finding["level"], string> = { failure: "❌", warning: "⚠️", note: "–" };

function findingsMarkup(all: Finding[]): Markup {
  if (all.length === 0) return markup`<p>What is wrong: nothing that this run could see.</p>`;
  const lines = all.map(({ level, scenario, text }) => {
    const about = scenario === null ? "" : `${scenarioTitle(scenario)}: `;
    return markup`<li class="${level}">${LEVEL_MARKS[level]} ${about}${text}</li>`;
  });
  return markup`<h2>What is wrong or worth knowing</h2>
<ul class="marked">
${lines}
</ul>`;
}
