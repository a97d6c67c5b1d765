/**
 * The five numbers that the phase document leads with, taken from the metrics of a report, and their
 * comparison with a call that takes no socket. Shared by every format.
 *
 * @module
 */

import type { Report, ScenarioReport, UnitBaseline } from "../schema.ts";
import { isHeavyPhase } from "./heavy.ts";
import { heavyKeyNumbers } from "./heavy_key_numbers.ts";
import { findDistribution, findScalar, findScenario } from "./lookup.ts";
import {
  DASH,
  formatCompactRate,
  formatCount,
  formatDuration,
  formatRate,
  formatRatio,
} from "./units.ts";

const NOT_MEASURED = "not measured";

/** One line of the performance table. `value` and `comparison` are plain text with units. */
export interface KeyNumber {
  label: string;
  value: string;
  comparison: string;
  /** The scenario that it was measured in; `undefined` where that is not part of the run. */
  scenario: ScenarioReport | undefined;
  /** False where `value` is a dash. */
  measured: boolean;
}

/** The number of clients at once; `null` where no such scenario was run. */
export function concurrentClients(report: Report): number | null {
  const value = findScenario(report, "concurrent-connections")?.parameters.connections;
  return typeof value === "number" ? value : null;
}

/** The throughput of one client, in messages per second; `null` where not measured. */
export function singleThroughput(report: Report): number | null {
  return findScalar(findScenario(report, "message-throughput"), "throughput")?.value ?? null;
}

/** The throughput of all clients together, in messages per second; `null` where not measured. */
export function concurrentThroughput(report: Report): number | null {
  return findScalar(findScenario(report, "concurrent-connections"), "throughput")?.value ?? null;
}

/** How many times slower than the unit baseline; `null` where either is not known. */
export function slowdown(report: Report, throughput: number | null): number | null {
  const baseline = report.unitBaseline;
  return baseline === null || throughput === null || throughput <= 0 || baseline.throughput <= 0
    ? null
    : baseline.throughput / throughput;
}

/** A ratio in words: `2,693x slower`, `1.2x faster`. */
export function slowerOrFaster(ratio: number): string {
  return ratio >= 1 ? `${formatRatio(ratio)} slower` : `${formatRatio(1 / ratio)} faster`;
}

/** Where the unit baseline comes from, as the end of a sentence. */
export function baselineSource(baseline: UnitBaseline): string {
  return baseline.source === "measured"
    ? "the bundled reference server's dispatch, called in-process in this run"
    : "the figure given with --unit-baseline, not measured in this run";
}

/** `2,693x slower than unit tests (3.1M msg/s)`, or why there is no such comparison. */
export function unitComparison(report: Report, throughput: number | null): string {
  if (report.unitBaseline === null) return "no unit baseline in this run";
  const ratio = slowdown(report, throughput);
  const baseline = formatCompactRate(report.unitBaseline.throughput);
  return ratio === null ? DASH : `${slowerOrFaster(ratio)} than unit tests (${baseline})`;
}

/**
 * The five numbers, always all five: what was not measured has a dash and says so. The phase of heavy
 * tools has numbers of its own.
 */
export function keyNumbers(report: Report): KeyNumber[] {
  if (isHeavyPhase(report)) return heavyKeyNumbers(report);
  return [
    ...throughputNumbers(report),
    ...latencyNumbers(report),
    connectionNumber(report),
  ];
}

function throughputNumbers(report: Report): KeyNumber[] {
  const single = singleThroughput(report);
  const concurrent = concurrentThroughput(report);
  const clients = concurrentClients(report);
  return [
    {
      label: "Throughput (Single Client)",
      value: formatRate(single),
      comparison: single === null ? NOT_MEASURED : unitComparison(report, single),
      scenario: findScenario(report, "message-throughput"),
      measured: single !== null,
    },
    {
      label: clients === null
        ? "Throughput (Concurrent)"
        : `Throughput (${formatCount(clients)} Concurrent)`,
      value: formatRate(concurrent),
      comparison: concurrent === null ? NOT_MEASURED : unitComparison(report, concurrent),
      scenario: findScenario(report, "concurrent-connections"),
      measured: concurrent !== null,
    },
  ];
}

function latencyNumbers(report: Report): KeyNumber[] {
  const scenario = findScenario(report, "message-throughput");
  const latency = findDistribution(scenario, "latency");
  const p95 = latency?.p95 ?? null;
  const replies = `${formatCount(latency?.count ?? 0)} replies`;
  return [
    {
      label: "Average Latency",
      value: formatDuration(latency?.mean ?? null),
      comparison: latency === undefined
        ? NOT_MEASURED
        : `N/A (the unit baseline is a rate); mean of ${replies}`,
      scenario,
      measured: latency !== undefined,
    },
    {
      label: "P95 Latency",
      value: formatDuration(p95),
      comparison: latency === undefined
        ? NOT_MEASURED
        : p95 === null
        ? `${NOT_MEASURED}: needs 200 replies, there were ${formatCount(latency.count)}`
        : `N/A; of ${replies}`,
      scenario,
      measured: p95 !== null,
    },
  ];
}

function connectionNumber(report: Report): KeyNumber {
  const scenario = findScenario(report, "connection-establishment");
  const establish = findDistribution(scenario, "establish");
  const cold = findScalar(scenario, "coldEstablish");
  const first = cold === undefined ? "" : `; the first, cold one ${formatDuration(cold.value)}`;
  return {
    label: "Connection Time",
    value: formatDuration(establish?.p50 ?? null),
    comparison: establish === undefined
      ? NOT_MEASURED
      : `N/A; median of ${formatCount(establish.count)}${first}`,
    scenario,
    measured: establish !== undefined,
  };
}
