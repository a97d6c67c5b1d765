/**
 * Minimal reports for comparisons and thresholds.
 *
 * @module
 */

import type { Ledger, Metric, Report, Role, ScenarioReport, Statistic } from "../../lib/schema.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import { sampleScenario } from "./sample_scenario.ts";
import { ledgerWith } from "./targets.ts";

/** A ledger of `sent` calls, all successful except for the given ones. */
export function ledgerOf(sent: number, given: Partial<Ledger> = {}): Ledger {
  const { toolError = 0, rateLimited = 0, timeout = 0, connectionLost = 0, aborted = 0 } = given;
  const final = sent - timeout - connectionLost - aborted;
  const ok = final - toolError - rateLimited;
  return ledgerWith({ sent, ok, frames: { received: final, final }, ...given });
}

/** A scenario that passed. */
export function scenarioOf(name: string, given: Partial<ScenarioReport> = {}): ScenarioReport {
  return sampleScenario(name, {
    parameters: {},
    checks: [],
    warmupLedger: ledgerOf(10),
    ledger: ledgerOf(1_000),
    validity: {
      valid: true,
      client: null,
      clientShare: null,
      clientShareCi95: null,
      clientCpu: null,
      loopLagP99Ns: null,
      warnings: [],
    },
    ...given,
  });
}

/** A report of the bundled server. */
export function reportOf(...scenarios: ScenarioReport[]): Report {
  return {
    schemaVersion: 2,
    suite: { name: "exai-ws-bench", version: "0", commit: null },
    startedAt: "2025-01-01T00:00:00.000Z",
    finishedAt: "2025-01-01T00:01:00.000Z",
    seed: 1,
    command: [],
    environment: {
      os: "linux",
      arch: "x86_64",
      cpuModel: "a CPU",
      cpuCount: 2,
      memoryBytes: 1e9,
      deno: "2.9.6",
      v8: "14",
      mitata: "1.0.34",
      cpuPressure: null,
    },
    target: {
      url: "ws://127.0.0.1:1/",
      kind: "embedded",
      protocol: "exai",
      tool: "status",
      noDelay: false,
    },
    profile: "standard",
    epochs: 10,
    verdict: { status: "passed", exitCode: 0, reasons: [] },
    preflight: [],
    rateLimit: null,
    unitBaseline: null,
    scenarios,
  };
}

interface MetricGiven {
  name?: string;
  role?: Role;
  gates?: Statistic[];
  at?: Metric["at"];
}

/** A throughput that gates. */
export function throughputOf(ratePerSecond: number, given: MetricGiven = {}): Metric {
  return summariseScalar({
    name: "throughput",
    unit: "msg/s",
    better: "higher",
    role: "headline",
    gates: ["value"],
    epochs: [ratePerSecond],
    ...given,
  });
}

/** A latency of 10 epochs whose samples are all equal, except for the `slowest`. */
export function latencyOf(
  ns: number,
  given: MetricGiven & { samples?: number; slowest?: number; slowNs?: number; censored?: number } =
    {},
): Metric {
  const { samples = 20, slowest = 0, slowNs = ns, censored = 0, ...metric } = given;
  using recorder = new DistributionRecorder();
  for (let epoch = 0; epoch < 10; epoch++) {
    recorder.startEpoch();
    for (let index = 0; index < samples; index++) {
      recorder.record(index < samples - slowest ? ns : slowNs);
    }
    recorder.censor(censored, 5e9);
    recorder.endEpoch();
  }
  return recorder.distribution({
    name: "latency",
    better: "lower",
    role: "headline",
    gates: ["p50"],
    seed: 1,
    ...metric,
  })!;
}
