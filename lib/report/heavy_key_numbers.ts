/**
 * The numbers that the report of heavy tools leads with.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";
import { heavyThroughput, heavyToolNumbers, interferences } from "./heavy.ts";
import type { KeyNumber } from "./key_numbers.ts";
import { findScalar, findScenario } from "./lookup.ts";
import { formatCount, formatCounted, formatDuration, formatRate, formatRatio } from "./units.ts";

const NOT_MEASURED = "not measured";

/** Throughputs, each tool's time to its result, and the interference; a dash for what was not measured. */
export function heavyKeyNumbers(report: Report): KeyNumber[] {
  const heavy = findScenario(report, "heavy-tools");
  return [
    ...throughputNumbers(report, heavy),
    ...toolNumbers(report, heavy),
    interferenceNumber(report),
  ];
}

function throughputNumbers(report: Report, scenario: ScenarioReport | undefined): KeyNumber[] {
  const single = heavyThroughput(report);
  const all = findScalar(scenario, "throughput")?.value ?? null;
  const speedup = findScalar(scenario, "speedup");
  const clients = scenario?.parameters.connections;
  return [
    {
      label: "Throughput (Single Client)",
      value: formatRate(single),
      comparison: single === null ? NOT_MEASURED : "the mix of tools, one call after the other",
      scenario,
      measured: single !== null,
    },
    {
      label: typeof clients === "number"
        ? `Throughput (${formatCount(clients)} Concurrent)`
        : "Throughput (Concurrent)",
      value: formatRate(all),
      comparison: all === null
        ? NOT_MEASURED
        : speedup === undefined
        ? "the same mix for each client"
        : `${formatRatio(speedup.value)} that of one`,
      scenario,
      measured: all !== null,
    },
  ];
}

function toolNumbers(report: Report, scenario: ScenarioReport | undefined): KeyNumber[] {
  return heavyToolNumbers(report).map(({ tool, latency, firstProgress }) => ({
    label: `Time to Result (${tool})`,
    value: formatDuration(latency?.p50 ?? null),
    comparison: latency === undefined
      ? `${NOT_MEASURED}: no call alone was computed`
      : `median of ${formatCounted(latency.count, "call")}, one at a time` +
        (firstProgress === undefined
          ? ""
          : `; first progress after ${formatDuration(firstProgress.p50)}`),
    scenario,
    measured: latency !== undefined,
  }));
}

function interferenceNumber(report: Report): KeyNumber {
  const all = interferences(report);
  const other = all.find(({ place }) => place === "otherConnection");
  const others = all.filter((one) => one !== other)
    .map(({ where, ratio }) => `${formatRatio(ratio.value)} ${where}`);
  return {
    label: "Cheap Call Beside a Heavy One",
    value: formatRatio(other?.ratio.value ?? null),
    comparison: other === undefined
      ? NOT_MEASURED
      : ["as long as alone, on another connection", ...others].join("; "),
    scenario: findScenario(report, "head-of-line"),
    measured: other !== undefined,
  };
}
