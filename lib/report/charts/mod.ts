/**
 * The pictures of a report. Load this module only where they are drawn: it brings the drawing library,
 * a megabyte of it.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import type { Chart, ChartPlan } from "./chart.ts";
import { comparisonPlans } from "./comparison.ts";
import { drawChart } from "./draw.ts";
import { latencyDistributionPlans } from "./latency_distribution.ts";
import { latencyOverTimePlans } from "./latency_over_time.ts";
import { overheadPlans } from "./overhead.ts";
import { pyramidPlans } from "./pyramid.ts";
import { roundsPlans } from "./rounds.ts";
import { saturationPlans } from "./saturation.ts";
import { sweepPlans } from "./sweep.ts";

export type { Chart } from "./chart.ts";

const SCENARIO_PLANS: readonly ((scenario: ScenarioReport) => ChartPlan[])[] = [
  overheadPlans,
  sweepPlans,
  saturationPlans,
  latencyDistributionPlans,
  latencyOverTimePlans,
  roundsPlans,
];

/**
 * Every picture that the report has data for, those of the whole run first, then by scenario in the
 * report's order. The same report gives the same bytes. What was not measured has no picture.
 */
export function renderCharts(report: Report): Chart[] {
  return chartPlans(report).map(drawChart);
}

/** What {@linkcode renderCharts} draws. */
export function chartPlans(report: Report): ChartPlan[] {
  const plans = [
    ...pyramidPlans(report),
    ...comparisonPlans(report),
    ...report.scenarios.flatMap((scenario) => SCENARIO_PLANS.flatMap((plan) => plan(scenario))),
  ];
  return withOwnNames(plans);
}

/** Scenarios whose names differ only in what a file name leaves out get a number. */
function withOwnNames(plans: readonly ChartPlan[]): ChartPlan[] {
  const taken = new Set<string>();
  return plans.map((plan) => {
    let name = plan.name;
    for (let nth = 2; taken.has(name); nth++) name = `${plan.name}-${nth}`;
    taken.add(name);
    return { ...plan, name };
  });
}
