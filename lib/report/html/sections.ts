/**
 * The sections of the page below the first screen.
 *
 * @module
 */

import type { Check, NotMeasured, Report, ScenarioReport } from "../../contract.ts";
import {
  CALL_HEADINGS,
  callRows,
  environmentRows,
  FRAME_HEADINGS,
  frameRows,
  VALIDITY_HEADINGS,
  validityRows,
} from "../accounting_rows.ts";
import { insights } from "../insights.ts";
import { mark, scenarioMark, toneMark } from "../marks.ts";
import {
  DISTRIBUTION_HEADINGS,
  distributionRows,
  SCALAR_HEADINGS,
  scalarRows,
} from "../metric_rows.ts";
import { nextSteps } from "../next_steps.ts";
import { commandLine } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { frame, html, type Markup, tableMarkup } from "./markup.ts";

/** What the numbers say, and what to do next. */
export function insightsMarkup(report: Report): Markup {
  const items = insights(report).map(({ tone, text }) => html`<li>${toneMark(tone)} ${text}</li>`);
  return html`<h2>Insights</h2>
<ul class="marked">
${items}
</ul>
<h2>Next steps</h2>
<ol>
${nextSteps(report).map((step) => html`<li>${step}</li>`)}
</ol>`;
}

/** Every metric of every scenario, times and other numbers apart. */
export function metricsMarkup(report: Report): Markup {
  const rows = (read: (scenario: ScenarioReport) => string[][]) =>
    report.scenarios.flatMap((scenario) => read(scenario).map((row) => [scenario.name, ...row]));
  const distributions = rows(distributionRows);
  const scalars = rows(scalarRows);
  return html`<h2>Metrics</h2>
${
    distributions.length + scalars.length === 0
      ? html`<p>– No metric was measured.</p>`
      : html`${tableMarkup("Times", ["Scenario", ...DISTRIBUTION_HEADINGS], distributions)}
${tableMarkup("Other metrics", ["Scenario", ...SCALAR_HEADINGS], scalars)}`
  }`;
}

/** Every check with what was expected and observed. */
export function checksMarkup(report: Report): Markup {
  const scenarios = report.scenarios.map((scenario) =>
    html`<h3>${scenarioMark(scenario)} ${scenarioTitle(scenario.name)}: ${scenario.status}</h3>
<p>${scenario.question}${scenario.reason === null ? "" : ` (${scenario.reason})`}</p>
${checkTable(`Checks of ${scenario.name}`, scenario.checks, scenario.notMeasured)}`
  );
  const preflight = report.preflight.length === 0
    ? html``
    : html`<h3>${mark(report.preflight.every(({ passed }) => passed))} Preflight</h3>
${checkTable("Checks of the preflight", report.preflight, [])}`;
  return html`<h2>Checks</h2>
${preflight}
${scenarios}`;
}

function checkTable(label: string, checks: Check[], notMeasured: NotMeasured[]): Markup {
  if (checks.length + notMeasured.length === 0) return html`<p>– No check was made.</p>`;
  const rows = [
    ...checks.map(({ name, passed, expected, observed }) =>
      html`
        <tr class="${passed ? "passed" : "failed"}">
          <td>${mark(passed)}</td>
          <td>${name}</td>
          <td>${expected}</td>
          <td>${observed}</td>
        </tr>
      `
    ),
    ...notMeasured.map(({ name, reason }) =>
      html`
        <tr>
          <td>–</td>
          <td>${name}</td>
          <td>–</td>
          <td>not measured: ${reason}</td>
        </tr>
      `
    ),
  ];
  return frame(label, ["", "Check", "Expected", "Observed"], rows);
}

/** Verdict, ledger, validity, environment and command. */
export function accountingMarkup(report: Report): Markup {
  const reasons = report.verdict.reasons.map(({ code, scenario, message }) =>
    html`<li>exit code ${code}${scenario === null ? "" : `, ${scenario}`}: ${message}</li>`
  );
  return html`<h2>Verdict</h2>
<p>${report.verdict.status}, exit code ${report.verdict.exitCode}</p>
<ul>
${reasons}
</ul>
<h2>Ledger</h2>
<p>What became of every call that was sent, and of every frame that came in.</p>
${tableMarkup("Calls", CALL_HEADINGS, callRows(report))}
${tableMarkup("Frames", FRAME_HEADINGS, frameRows(report))}
<h2>Validity</h2>
<p>Whether the client itself could have bounded the numbers.</p>
${tableMarkup("Validity", VALIDITY_HEADINGS, validityRows(report))}
<h2>Environment</h2>
${tableMarkup("Environment", ["What", "Value"], environmentRows(report))}
<h2>Command</h2>
<p><code>${commandLine(report)}</code></p>`;
}
