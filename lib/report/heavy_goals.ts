/**
 * The goals of the phase of heavy tools, each decided by the run.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";
import type { Criterion } from "./criteria.ts";
import { heavyToolNumbers, interferences } from "./heavy.ts";
import { findScalar, findScenario, isSound } from "./lookup.ts";
import { formatCount, formatDuration, formatRate, formatRatio } from "./units.ts";

/** Load, concurrency, latency, a baseline to rely on, and interference. */
export function heavyGoals(report: Report): Criterion[] {
  const scenario = findScenario(report, "heavy-tools");
  const rate = (name: string) => findScalar(scenario, name)?.value ?? null;
  const alone = rate("throughputAlone");
  const together = rate("throughput");
  const tools = heavyToolNumbers(report).filter(({ latency }) => latency !== undefined);
  const other = interferences(report).find(({ place }) => place === "otherConnection");
  const times = tools.map(({ tool, latency }) => `${tool} ${formatDuration(latency?.p50 ?? null)}`);
  const sound = isSound(scenario);
  return [
    measured(
      scenario,
      "Measure load performance with heavy tools",
      alone === null ? "" : formatRate(alone),
    ),
    measured(
      scenario,
      "Measure concurrent connections with heavy tools",
      together === null
        ? ""
        : `${formatRate(together)}, ${
          formatCount(Number(scenario?.parameters.connections))
        } clients`,
    ),
    measured(scenario, "Measure end-to-end latency of each tool", times.join(", ")),
    productionBaseline(report, { measured: alone !== null, sound }),
    measured(
      findScenario(report, "head-of-line"),
      "Measure cheap calls beside heavy ones",
      other === undefined ? "" : `${formatRatio(other.ratio.value)} on another connection`,
    ),
  ];
}

/** A goal that a figure meets, if its scenario passed; of one that did not end it says nothing. */
function measured(scenario: ScenarioReport | undefined, text: string, figure: string): Criterion {
  if (scenario === undefined || figure === "") return { text, met: null, note: "not measured" };
  switch (scenario.status) {
    case "passed":
      return { text, met: true, note: figure };
    case "failed":
      return { text, met: false, note: `${figure}, but the scenario failed` };
    case "skipped":
    case "interrupted":
      return { text, met: null, note: `${figure}; ${scenario.status}` };
    default:
      return scenario.status satisfies never;
  }
}

/** The bundled server's tools wait where real ones work: their figures are no baseline of anything. */
function productionBaseline(
  { target }: Report,
  { measured, sound }: { measured: boolean; sound: boolean },
): Criterion {
  const text = "Establish realistic performance baselines for production";
  if (!measured) return { text, met: null, note: "not measured" };
  if (target.kind === "embedded") {
    return { text, met: null, note: "the bundled server's tools only simulate their work" };
  }
  return { text, met: sound, note: sound ? "passed and valid" : "not passed and valid" };
}
