import type { ScenarioReport } from "../schema.ts";
import { findScalar } from "./lookup.ts";
import { mainDistribution } from "./scenario_names.ts";
import { DASH, formatCount, formatDuration, formatRate } from "./units.ts";

/** The headings of {@linkcode scenarioCells}. */
export const SCENARIO_HEADINGS = ["served", "median", "p95", "throughput", "times of"];

/** A scenario in five cells of plain text: what was served, and the figures that stand for it. */
export function scenarioCells(scenario: ScenarioReport): string[] {
  const main = mainDistribution(scenario);
  const { sent, ok } = scenario.ledger;
  return [
    sent === 0 ? DASH : `${formatCount(ok)}/${formatCount(sent)}`,
    formatDuration(main?.p50 ?? null),
    formatDuration(main?.p95 ?? null),
    formatRate(rateOf(scenario)),
    main?.name ?? DASH,
  ];
}

/** The rate that stands for a scenario. */
function rateOf(scenario: ScenarioReport): number | null {
  const rate = findScalar(scenario, "throughput") ?? findScalar(scenario, "sustainableRate");
  return rate?.value ?? null;
}
