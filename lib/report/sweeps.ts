/**
 * The sweeps of a run as tables with one row for each step, and what they say in words: the same plain text in
 * every format.
 *
 * @module
 */

import type { ScenarioReport } from "../schema.ts";
import { type Cell, quantity, textRows } from "./cells.ts";
import { findDistribution, findScalar } from "./lookup.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatQuantity,
  formatRate,
} from "./units.ts";

/** A table, and the sentences under it. */
export interface SweepTable {
  label: string;
  headings: string[];
  rows: string[][];
  /** The rows with their values. */
  cells: Cell[][];
  /** Plain text, possibly with a server's own words in it: escape it. */
  sentences: string[];
}

/** The table of a scenario that is a sweep over clients or sizes; `null` for any other, or without a step. */
export function sweepTable(scenario: ScenarioReport): SweepTable | null {
  const table = scenario.name === "scaling"
    ? scalingTable(scenario)
    : scenario.name === "payload-size"
    ? payloadTable(scenario)
    : null;
  return table === null || table.cells.length === 0
    ? null
    : { ...table, rows: textRows(table.cells) };
}

function scalingTable(scenario: ScenarioReport): Omit<SweepTable, "rows"> {
  return {
    label: "Throughput by the number of clients",
    headings: ["Clients", "Throughput", "Efficiency", "Median", "P99", "Fitted"],
    cells: stepsOf(scenario, "connections").map((clients) => {
      const latency = findDistribution(scenario, `latency@${clients}`);
      const efficiency = clients === 1 ? 1 : valueOf(scenario, `efficiency@${clients}`);
      return [
        quantity(clients, formatCount),
        quantity(valueOf(scenario, `throughput@${clients}`), formatRate),
        quantity(efficiency, formatPercent),
        quantity(latency?.p50 ?? null, formatDuration),
        quantity(latency?.p99 ?? null, formatDuration),
        quantity(valueOf(scenario, `fitted@${clients}`), formatRate),
      ];
    }),
    sentences: scalingSentences(scenario),
  };
}

function payloadTable(scenario: ScenarioReport): Omit<SweepTable, "rows"> {
  return {
    label: "Calls by the size of their payload",
    headings: ["Payload", "Calls", "Payload sent", "Median", "P99", "Share of the client's floor"],
    cells: stepsOf(scenario, "payloadBytes").map((bytes) => {
      const latency = findDistribution(scenario, `latency@${bytes}`);
      const rate = valueOf(scenario, `rate@${bytes}`);
      const floor = valueOf(scenario, `floor@${bytes}`);
      return [
        quantity(bytes, formatBytes),
        quantity(rate, formatRate),
        quantity(
          valueOf(scenario, `throughput@${bytes}`),
          (value) => formatQuantity(value, "bytes/s"),
        ),
        quantity(latency?.p50 ?? null, formatDuration),
        quantity(latency?.p99 ?? null, formatDuration),
        quantity(rate === null || floor === null ? null : rate / floor, formatPercent),
      ];
    }),
    sentences: payloadSentences(scenario),
  };
}

/** What the fit says, in plain words; that it says nothing, where it does not. */
export function scalingSentences(scenario: ScenarioReport): string[] {
  const law = ["singleRate", "contention", "coherency", "rSquared"].map((name) =>
    valueOf(scenario, name)
  );
  const [single, contention, coherency, rSquared] = law;
  if (single == null || contention == null || coherency == null || rSquared == null) {
    const why = reasonOf(scenario, "scaling law");
    return why === null ? [] : [`No scalability law is fitted, and no peak foretold: ${why}.`];
  }
  const peak = findScalar(scenario, "peakConcurrency");
  const where = reasonOf(scenario, "peak concurrency");
  const [shared, consistency] = [formatPercent(contention), formatPercent(coherency)];
  return [
    `By the Universal Scalability Law (R² ${rSquared.toFixed(3)}) one client gets ` +
    `${
      formatRate(single)
    }, ${shared} of the work is done for one client at a time (contention), and ` +
    `keeping each client consistent with each other one costs ${consistency} of a call (coherency).`,
    ...(peak !== undefined
      ? [
        `The most is reached with about ${formatQuantity(peak.value, peak.unit)}: ` +
        `${formatRate(valueOf(scenario, "peakThroughput"))}` +
        (peak.ci95 === null
          ? ", but the rounds do not settle that the peak is within what was measured."
          : "."),
      ]
      : where === null
      ? []
      : [`The number of clients with the most throughput: ${where}.`]),
    ...(scenario.validity.valid
      ? []
      : ["These numbers are not the server's alone: see the warning."]),
  ];
}

/** Between which sizes the server's limit lies. */
export function payloadSentences(scenario: ScenarioReport): string[] {
  const served = valueOf(scenario, "largestServed");
  const refused = valueOf(scenario, "smallestRefused");
  if (served === null) return [];
  return [
    refused === null
      ? `Every payload was served, up to ${formatBytes(served)}.`
      : `A payload of ${formatBytes(served)} was served, one of ${formatBytes(refused)} was not.`,
  ];
}

/** The coordinates of the steps, from the smallest. */
function stepsOf({ metrics }: ScenarioReport, coordinate: string): number[] {
  const steps = new Set(metrics.flatMap(({ at }) => at?.[coordinate] ?? []));
  return [...steps].sort((one, other) => one - other);
}

function valueOf(scenario: ScenarioReport, name: string): number | null {
  return findScalar(scenario, name)?.value ?? null;
}

/** Why something was not measured; `null` where nothing is said of it. */
function reasonOf({ notMeasured }: ScenarioReport, name: string): string | null {
  return notMeasured.find((one) => one.name === name)?.reason ?? null;
}
