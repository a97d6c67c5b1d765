/**
 * A report with data for every figure.
 *
 * @module
 */

import type { Distribution, Metric, Report, SeriesPoint } from "../../lib/schema.ts";
import { sampleReport } from "./sample_report.ts";
import { metricsOf, sampleScenario, times } from "./sample_scenario.ts";

/** A report that has every figure; a new object for every call. */
export function chartedReport(): Report {
  const report = sampleReport("thorough");
  const start = Date.parse(report.startedAt);
  const { comparison } = sampleReport("compared");
  const scenarios = [
    ...report.scenarios.filter(({ name }) => name !== "saturation" && name !== "open-loop"),
    saturation(),
    sampleScenario("soak", { metrics: [{ ...course(), role: "headline" }] }),
    storm(),
    ...sampleReport("phase3").scenarios,
  ];
  for (const [nth, scenario] of scenarios.entries()) {
    const epochs = Array.from({ length: report.epochs }, (_, epoch) => {
      const startMs = start + 4000 * epoch + 300 * nth;
      return { startMs, endMs: startMs + 250 };
    });
    const isSoak = scenario.name === "soak";
    scenario.measured = { plannedStartMs: null, epochs: isSoak ? epochs.slice(0, 1) : epochs };
  }
  const sizes = scenarios.find(({ name }) => name === "payload-size")!;
  sizes.metrics.push(
    ...at("payloadBytes", [64, 4096, 1048576], (n) => `floor ${9e9 / (n + 3e4)} msg/s`),
  );
  const scaling = scenarios.find(({ name }) => name === "scaling")!;
  scaling.metrics.push(...at("clients", [1, 2, 4, 8], (n) => `fitted ${1140 * n ** 0.6} msg/s`));
  const latency = scenarios[1]!.metrics[0] as Distribution;
  latency.epochs[3]!.censored = 2;
  return { ...report, comparison, scenarios };
}

function at(key: string, places: readonly (number | string)[], line: (place: number) => string) {
  return places.flatMap((place, nth): Metric[] =>
    metricsOf(`${line(typeof place === "number" ? place : nth)} @${key}=${place}`)
  );
}

/** Rates in the order in which a search tries them. */
function saturation() {
  const rates = [200, 3200, 800, 6400, 9100, 10_700, 11_500, 12_800];
  return sampleScenario("saturation", {
    parameters: { sloMs: 50 },
    metrics: [
      ...at("ratePerSecond", rates, (rate) => {
        const latencyMs = 0.4 / Math.max(0.004, 1 - rate / 11_600);
        return `latency ${latencyMs} ms n=${rate < 900 ? 240 : 2000}`;
      }),
      ...at("ratePerSecond", rates, (rate) => `throughput ${Math.min(rate, 11_300)} msg/s`),
      ...metricsOf("sustainableRate 10700 calls/s *\nmetShare 0.83 share"),
    ],
  });
}

/** Latency over 12 s, with half a second without replies. */
function course(): Distribution {
  const series = Array.from({ length: 120 }, (_, index): SeriesPoint => {
    const point = { atMs: index * 100, count: 50, p50: 8e5, p99: 2e6, max: 3e6 + index % 7 * 1e5 };
    if (index === 75) return { ...point, max: 500e6 };
    return index >= 70 && index < 75
      ? { ...point, count: 0, p50: null, p99: null, max: null }
      : point;
  });
  return times("latency", 0.8, 6000, { series });
}

function storm() {
  const phases = ["DropImmediate", "DropBackoff", "RestartImmediate", "RestartBackoff"];
  return sampleScenario("reconnect-storm", {
    metrics: [
      ...at("phase", phases, (nth) => `recovery ${300 * (nth + 1)} ms${nth === 1 ? " *" : ""}`),
      ...at("phase", phases, (nth) => `lastServed ${12e8 * (nth + 1)} ns`),
      ...at("phase", phases, () => "handshakes 100 handshakes"),
    ],
  });
}
