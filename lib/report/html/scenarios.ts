/**
 * The scenarios at a glance, and the charts of each.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import { type Cell, quantity } from "../cells.ts";
import type { Chart } from "../charts/chart.ts";
import { findScalar } from "../lookup.ts";
import { scenarioMark } from "../marks.ts";
import { mainDistribution, scenarioTitle } from "../scenario_names.ts";
import { DASH, formatCount, formatDuration, formatRate } from "../units.ts";
import { figuresMarkup } from "./figure.ts";
import { type Markup, markup, table } from "./markup.ts";

const HEADINGS = ["Scenario", "Result", "Served", "Median", "P95", "Throughput", "Times of"];

/** One line for each scenario, and the chart that holds them against each other. */
export function overviewMarkup({ scenarios }: Report, charts: readonly Chart[]): Markup {
  const rows = scenarios.map(overviewRow);
  const ofRun = charts.filter(({ scenario, name }) => scenario === null && name !== "comparison");
  return markup`<h2>Scenarios</h2>
${rows.length === 0 ? markup`<p>– No scenario was run.</p>` : table("Scenarios", HEADINGS, rows)}
${figuresMarkup(ofRun)}`;
}

function overviewRow(scenario: ScenarioReport): Cell[] {
  const { name, status, ledger: { sent, ok } } = scenario;
  const main = mainDistribution(scenario);
  const rate = findScalar(scenario, "throughput") ?? findScalar(scenario, "sustainableRate");
  const served = `${formatCount(ok)}/${formatCount(sent)}`;
  return [
    name,
    `${scenarioMark(scenario)} ${status}`,
    sent === 0 ? DASH : { text: served, value: ok / sent },
    quantity(main?.p50 ?? null, formatDuration),
    quantity(main?.p95 ?? null, formatDuration),
    quantity(rate?.value ?? null, formatRate),
    main?.name ?? DASH,
  ];
}

/** The charts by scenario, with the question that each scenario answers. */
export function chartsMarkup({ scenarios }: Report, charts: readonly Chart[]): Markup {
  const parts = scenarios.flatMap((scenario) => {
    const own = charts.filter((chart) => chart.scenario === scenario.name);
    return own.length === 0 ? [] : [scenarioCharts(scenario, own)];
  });
  return parts.length === 0 ? { html: "" } : markup`<h2>Charts</h2>
${parts}`;
}

function scenarioCharts(scenario: ScenarioReport, charts: readonly Chart[]): Markup {
  return markup`<h3>${scenarioMark(scenario)} ${scenarioTitle(scenario.name)}</h3>
<p>${scenario.question}</p>
<div class="charts">
${figuresMarkup(charts)}
</div>`;
}
