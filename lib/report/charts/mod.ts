/**
 * The figures of a report. The drawing library (1 MB) is only loaded if there is one to draw.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import type { Figure } from "../document.ts";
import { slug } from "../escape.ts";
import { withoutCappedRates } from "../quantities.ts";
import { categoriesPlan } from "./categories.ts";
import { comparisonPlan } from "./comparison.ts";
import { coursePlan, overRunPlan } from "./over_time.ts";
import { overviewPercentilesPlan, percentilesPlan } from "./percentiles.ts";
import type { FigurePlan, Plan } from "./plan.ts";
import { sweepPlan } from "./sweep.ts";

export { figureSignature } from "./theme.ts";

/** The most telling figure first: a scenario gets the first that fits its metrics. */
const SHAPES = [coursePlan, sweepPlan, categoriesPlan, percentilesPlan];

/**
 * The figure of each scenario by its name, and those of the run: `overview`, `overRun`, `comparison`.
 * The same report gives the same bytes. Titles and `alt` can contain a server's words.
 */
export async function drawFigures(report: Report): Promise<ReadonlyMap<string, Figure>> {
  const plans = figurePlans(report);
  if (plans.size === 0) return new Map();
  const { drawFigure } = await import("./draw.ts");
  return new Map([...plans].map(([key, plan]) => [key, drawFigure(plan)]));
}

/** The plans that {@linkcode drawFigures} draws. */
export function figurePlans(given: Report): Map<string, FigurePlan> {
  const report = withoutCappedRates(given);
  const plans = new Map<string, FigurePlan>();
  const taken = new Set<string>();
  const add = (key: string, name: string, plan: Plan | null | undefined) => {
    if (!plan || plans.has(key)) return;
    // Different scenario names can have the same slug.
    let id = name;
    for (let nth = 2; taken.has(id); nth++) id = `${name}-${nth}`;
    taken.add(id);
    plans.set(key, { ...plan, id });
  };
  add("overview", "overview-percentiles", overviewPercentilesPlan(report));
  add("overRun", "over-the-run", overRunPlan(report));
  add("comparison", "comparison", comparisonPlan(report));
  for (const scenario of report.scenarios) {
    const plan = SHAPES.map((shape) => shape(scenario)).find((plan) => plan !== null);
    add(scenario.name, slug(scenario.name), plan);
  }
  return plans;
}
