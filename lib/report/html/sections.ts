/**
 * The sections of the page below the first screen.
 *
 * @module
 */

import type { Check, NotMeasured, Report, ScenarioReport } from "../../schema.ts";
import {
  CALL_HEADINGS,
  callCells,
  environmentRows,
  FRAME_HEADINGS,
  frameCells,
  VALIDITY_HEADINGS,
  validityCells,
} from "../accounting_rows.ts";
import type { Cell } from "../cells.ts";
import { faultTable } from "../fault_rows.ts";
import { insights } from "../insights.ts";
import { mark, scenarioMark, toneMark } from "../marks.ts";
import {
  DISTRIBUTION_HEADINGS,
  distributionCells,
  SCALAR_HEADINGS,
  scalarCells,
} from "../metric_rows.ts";
import { nextSteps } from "../next_steps.ts";
import { SHARD_HEADINGS, shardRows } from "../shard_rows.ts";
import { commandLine } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { sweepTable } from "../sweeps.ts";
import { formatCount } from "../units.ts";
import { cells, frame, items, type Markup, markup, table } from "./markup.ts";

/** What the numbers say, and what to do next. */
export function insightsMarkup(report: Report): Markup {
  return markup`<h2>Insights</h2>
<ul class="marked">
${items(insights(report).map(({ tone, text }) => `${toneMark(tone)} ${text}`))}
</ul>
<h2>Next steps</h2>
<ol>
${items(nextSteps(report))}
</ol>`;
}

/** Every metric of every scenario, times and other numbers apart. */
export function metricsMarkup(report: Report): Markup {
  const steps = metricTables(report, { ofSteps: true });
  const faults = report.scenarios.flatMap((scenario) => faultTable(scenario) ?? []);
  const none = report.scenarios.every(({ metrics }) => metrics.length === 0);
  const tables = none ? [markup`<p>– No metric was measured.</p>`] : [
    ...metricTables(report, { ofSteps: false }),
    ...(steps.length === 0 ? [] : [
      markup`<details><summary>Each step of the sweeps and searches</summary>
${steps}
</details>`,
    ]),
    ...faults.map(({ title, headings, rows }) => titled(title, headings, rows)),
  ];
  return markup`<h2>Metrics</h2>
${[...report.scenarios.flatMap(sweepMarkup), ...tables]}`;
}

/** Times and other numbers: either those of the steps of sweeps, or all others. */
function metricTables(report: Report, { ofSteps }: { ofSteps: boolean }): Markup[] {
  const rows = (read: (scenario: ScenarioReport) => Cell[][]) =>
    report.scenarios.flatMap((scenario) => {
      const metrics = scenario.metrics.filter(({ at }) => (at !== undefined) === ofSteps);
      return read({ ...scenario, metrics }).map((row) => [scenario.name, ...row]);
    });
  const distributions = rows(distributionCells);
  const scalars = rows(scalarCells);
  const of = ofSteps ? " of steps" : "";
  return [
    ...(distributions.length === 0
      ? []
      : [titled(`Times${of}`, ["Scenario", ...DISTRIBUTION_HEADINGS], distributions)]),
    ...(scalars.length === 0
      ? []
      : [titled(`Other metrics${of}`, ["Scenario", ...SCALAR_HEADINGS], scalars)]),
  ];
}

function titled(title: string, headings: readonly string[], rows: Cell[][]): Markup {
  return markup`<h3>${title}</h3>
${table(title, headings, rows)}`;
}

/** The steps of a sweep side by side, and what they say. */
function sweepMarkup(scenario: ScenarioReport): Markup[] {
  const sweep = sweepTable(scenario);
  if (sweep === null) return [];
  return [
    markup`<h3>${scenarioTitle(scenario.name)}</h3>
${table(sweep.label, sweep.headings, sweep.cells)}
${sweep.sentences.map((sentence) => markup`<p>${sentence}</p>`)}`,
  ];
}

/** Every check with what was expected and observed. */
export function checksMarkup(report: Report): Markup {
  const passed = report.preflight.every((check) => check.passed);
  const preflight = report.preflight.length === 0 ? [] : [
    markup`<h3>${mark(passed)} Preflight</h3>`,
    checkTable("Checks of the preflight", report.preflight, []),
  ];
  return markup`<h2>Checks</h2>
<p>${checkTally(report)}</p>
${preflight}
${report.scenarios.map(scenarioChecks)}`;
}

/** `41 of 42 checks passed; 2 parts were not looked at`. */
function checkTally({ preflight, scenarios }: Report): string {
  const checks = [...preflight, ...scenarios.flatMap(({ checks }) => checks)];
  const passed = checks.filter((check) => check.passed).length;
  const left = scenarios.reduce((sum, { notMeasured }) => sum + notMeasured.length, 0);
  const tally = `${formatCount(passed)} of ${formatCount(checks.length)} checks passed`;
  return left === 0 ? `${tally}.` : `${tally}; ${formatCount(left)} more not measured.`;
}

function scenarioChecks(scenario: ScenarioReport): Markup {
  const { name, question, status, reason, checks, notMeasured } = scenario;
  const why = reason === null ? "" : ` (${reason})`;
  return markup`<h3>${scenarioMark(scenario)} ${scenarioTitle(name)}: ${status}</h3>
<p>${question}${why}</p>
${checkTable(`Checks of ${name}`, checks, notMeasured)}`;
}

function checkTable(label: string, checks: Check[], notMeasured: NotMeasured[]): Markup {
  if (checks.length + notMeasured.length === 0) return markup`<p>– No check was made.</p>`;
  const rows = checks.map(({ name, passed, expected, observed }) =>
    markup`<tr class="${passed ? "passed" : "failed"}">${
      cells([mark(passed), name, expected, observed])
    }</tr>`
  );
  const missing = notMeasured.map(({ name, reason }) =>
    markup`<tr>${cells([mark(null), name, mark(null), `not measured: ${reason}`])}</tr>`
  );
  return frame(label, ["Result", "Check", "Expected", "Observed"], [...rows, ...missing]);
}

/** Verdict, ledger, validity, environment and command. */
export function accountingMarkup(report: Report): Markup {
  const { status, exitCode, reasons } = report.verdict;
  const causes = reasons.map(({ code, scenario, message }) =>
    `exit code ${code}${scenario === null ? "" : `, ${scenario}`}: ${message}`
  );
  return markup`<h2>Verdict</h2>
<p>${status}, exit code ${exitCode}</p>
<ul>
${items(causes)}
</ul>
${shardsMarkup(report)}<h2>Ledger</h2>
<p>What became of every call that was sent, and of every frame that came in.</p>
${table("Calls", CALL_HEADINGS, callCells(report))}
${table("Frames", FRAME_HEADINGS, frameCells(report))}
<h2>Validity</h2>
<p>Whether the client itself could have bounded the numbers.</p>
${table("Validity", VALIDITY_HEADINGS, validityCells(report))}
<h2>Environment</h2>
${table("Environment", ["What", "Value"], environmentRows(report))}
<h2>Command</h2>
<p><code>${commandLine(report)}</code></p>`;
}

/** What each part of a merged report did; nothing in the report of one client. */
function shardsMarkup(report: Report): Markup[] {
  if (report.merged === undefined) return [];
  const title = report.merged.of === "shards" ? "Shards" : "Workers";
  return [markup`<h2>${title}</h2>
<p>What each part did of the whole; the start is by the first part's clock, the clock is the server's less
the part's.</p>
${table(title, SHARD_HEADINGS, shardRows(report))}
`];
}
