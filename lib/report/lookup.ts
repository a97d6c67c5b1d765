/**
 * Finds parts of a report by their fixed names. What a report lacks is `undefined`: a scenario may
 * be absent, and a metric rests on replies that may never have come.
 *
 * @module
 */

import type { Distribution, Report, Scalar, ScenarioReport } from "../contract.ts";

/** The scenario called `name`, if the run got to it. */
export function findScenario(report: Report, name: string): ScenarioReport | undefined {
  return report.scenarios.find((scenario) => scenario.name === name);
}

/** The distribution called `name` of a scenario. */
export function findDistribution(
  scenario: ScenarioReport | undefined,
  name: string,
): Distribution | undefined {
  return scenario?.metrics.find((metric): metric is Distribution =>
    metric.kind === "distribution" && metric.name === name
  );
}

/** The scalar called `name` of a scenario. */
export function findScalar(scenario: ScenarioReport | undefined, name: string): Scalar | undefined {
  return scenario?.metrics.find((metric): metric is Scalar =>
    metric.kind === "scalar" && metric.name === name
  );
}
