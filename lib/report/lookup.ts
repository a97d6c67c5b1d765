/**
 * Finds parts of a report by their fixed names. What a report lacks is `undefined`: a scenario may
 * be absent, and a metric rests on replies that may never have come.
 *
 * @module
 */

import type { Distribution, Report, Scalar, ScenarioReport } from "../schema.ts";

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

/** Whether the figures of a scenario can be relied on: it passed, and the client did not bound them. */
export function isSound(scenario: ScenarioReport | undefined): scenario is ScenarioReport {
  return scenario?.status === "passed" && scenario.validity.valid;
}

/** Metrics of paced scenarios, whose validity rests on how late calls were sent. */
const PACED_METRICS: ReadonlySet<string> = new Set(["slip", "sustainableRate"]);

/** Whether enough was seen of a scenario to tell if the client bounded it. */
export function isJudged({ validity, metrics }: ScenarioReport): boolean {
  const { valid, clientCpu, floor } = validity;
  return !valid || clientCpu !== null || (floor?.share ?? null) !== null ||
    metrics.some(({ name }) => PACED_METRICS.has(name));
}
