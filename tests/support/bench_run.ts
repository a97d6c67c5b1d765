import { runBench } from "../../lib/run/bench.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import type { Scenario } from "../../lib/run/scenario.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import type { Report } from "../../lib/schema.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { settingsAt } from "./run_scenarios.ts";

/** A whole run against a server that is not the bundled one, and its warnings. */
export async function runBenchAt(
  url: string,
  given: Partial<RunSettings>,
  scenarios: readonly Scenario[] = SCENARIOS,
): Promise<{ report: Report; warnings: string[] }> {
  const warnings: string[] = [];
  const settings = settingsAt(url, { token: null, ...given });
  const report = await runBench(settings, {
    planned: planScenarios(scenarios, settings),
    bundled: null,
    signal: new AbortController().signal,
    onWarning: (warning) => warnings.push(warning),
    onProgress: () => {},
    onPartialReport: () => Promise.resolve(),
  });
  return { report, warnings };
}
