/**
 * The first screen of the page: what was measured, whether to trust it, five numbers, what is wrong and
 * what to do next.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import type { Finding } from "../findings.ts";
import { firstScreen, MOST_OPEN_NOTES } from "../first_screen.ts";
import { calledTools } from "../heavy.ts";
import { type KeyNumber, keyNumbers } from "../key_numbers.ts";
import { numberMark, scenarioTally, toneMark, verdictMark, verdictWord } from "../marks.ts";
import { phaseOf } from "../phase.ts";
import { runDuration, splitSentence, targetKind } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { trustVerdict } from "../trust.ts";
import { formatCount, formatTimestamp } from "../units.ts";
import { items, type Markup, markup } from "./markup.ts";

/** Title, verdict, trust, cards, findings and next steps. */
export function summaryMarkup(report: Report, { hasCharts }: { hasCharts: boolean }): Markup {
  const { url, protocol } = report.target;
  const tools = calledTools(report);
  const named = tools.map((tool, index) => markup`${index === 0 ? "" : ", "}<code>${tool}</code>`);
  const tone = report.verdict.status === "passed" ? "good" : "bad";
  const verdict = `${verdictMark(report)} ${verdictWord(report)}: ${scenarioTally(report)}`;
  const when = `${formatTimestamp(report.startedAt)}, in ${runDuration(report)}`;
  const hint = hasCharts
    ? " Point at a chart for its values, or focus it and use\nthe arrow keys."
    : "";
  const split = splitSentence(report).replace(/^(?=.)/, " ");
  const { grave, further, notes, steps } = firstScreen(report);
  return markup`<header>
<h1>${phaseOf(report).title}</h1>
<p class="verdict ${tone}">${verdict}</p>
<p>Calls of the tool${tools.length === 1 ? "" : "s"} ${named} over real WebSocket connections to
${targetKind(report)} (<code>${url}</code>), protocol ${protocol}, profile ${report.profile}.
Measured ${when}.${split} Only calls that were served count in latency and throughput.</p>
</header>
${trustMarkup(report)}
<ul class="cards">
${keyNumbers(report).map(card)}
</ul>
<div class="columns">
<div>
${graveMarkup(grave, further)}
</div>
<div>
<h2>What to do next</h2>
<ol>
${items(steps)}
</ol>
</div>
</div>
${notesMarkup(notes)}
<p class="hint" hidden>Click a heading to sort its table.${hint}</p>`;
}

function trustMarkup(report: Report): Markup {
  const { tone, text } = trustVerdict(report);
  return markup`<p class="trust ${tone}"><strong>Can it be trusted?</strong> ${
    toneMark(tone)
  } ${text}</p>`;
}

function card(number: KeyNumber): Markup {
  const mark = number.measured ? ` ${numberMark(number)}` : "";
  return markup`<li><span class="label">${number.label}</span>
<strong>${number.value}</strong>${mark}
<span class="label">${number.comparison}</span></li>`;
}

const LEVEL_MARKS: Record<Finding["level"], string> = { failure: "❌", warning: "⚠️", note: "–" };

/** All of it: what has no room on the first screen is folded up. */
function graveMarkup(grave: readonly Finding[], further: readonly Finding[]): Markup {
  if (grave.length === 0) {
    return markup`<h2>What is wrong</h2>
<p>Nothing that this run could see.</p>`;
  }
  const rest = further.length === 0 ? "" : markup`
<details><summary>and ${formatCount(further.length)} more</summary>
${findingItems(further)}
</details>`;
  return markup`${findingList("What is wrong", grave)}${rest}`;
}

function notesMarkup(notes: readonly Finding[]): Markup | string {
  if (notes.length === 0) return "";
  if (notes.length <= MOST_OPEN_NOTES) return findingList("Worth knowing", notes);
  return markup`<h2>Worth knowing</h2>
<details><summary>${formatCount(notes.length)} notes</summary>
${findingItems(notes)}
</details>`;
}

function findingList(heading: string, all: readonly Finding[]): Markup {
  return markup`<h2>${heading}</h2>
${findingItems(all)}`;
}

function findingItems(all: readonly Finding[]): Markup {
  const lines = all.map(({ level, scenario, text }) => {
    const about = scenario === null ? "" : `${scenarioTitle(scenario)}: `;
    return markup`<li class="${level}">${LEVEL_MARKS[level]} ${about}${text}</li>`;
  });
  return markup`<ul class="marked">
${lines}
</ul>`;
}
