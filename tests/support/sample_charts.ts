/**
 * A report with data for every chart: real histograms, courses over time, sweeps, a search and layers.
 *
 * @module
 */

import type { Distribution, Report, Scalar, ScenarioReport } from "../../lib/schema.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import { HOSTILE_TEXT, sampleReport, sampleScenario } from "./sample_report.ts";

const SEED = 7;
const ROUNDS = 10;

/** How the times of a distribution are drawn. */
interface Times {
  /** The median, in nanoseconds. */
  medianNs: number;
  /** How far they spread, as the standard deviation of their logarithms. */
  spread?: number;
  /** How many in each round. */
  count?: number;
  /** The share of calls that take twenty times as long. */
  slow?: number;
  at?: Record<string, number>;
}

let made: Report | null = null;

/** A report that has every chart, some of them twice; a new object at every call. */
export function chartedReport(): Report {
  return structuredClone(made ??= makeReport());
}

function makeReport(): Report {
  const report = sampleReport("compared");
  for (const scenario of report.scenarios) {
    scenario.metrics = scenario.metrics.map((metric) =>
      metric.kind === "distribution"
        ? drawn(metric.name, { medianNs: metric.p50, count: metric.count / 5 })
        : { ...metric, ...wavering(metric.value) }
    );
  }
  report.scenarios.push(openLoop(), soak(), pipelining(), scaling(), saturation(), overhead());
  return report;
}

/** The same with a server's words in every name. */
export function hostileChartedReport(): Report {
  const report = chartedReport();
  report.target.tool = HOSTILE_TEXT;
  report.comparison!.rows = report.comparison!.rows.map((row) => ({
    ...row,
    scenario: HOSTILE_TEXT,
    metric: HOSTILE_TEXT,
  }));
  for (const scenario of report.scenarios.slice(6)) {
    scenario.name = HOSTILE_TEXT;
    scenario.metrics = scenario.metrics.map((metric) => ({
      ...metric,
      name: metric.name.replace(/^(layer\.|throughput@|latency@)?/, `$1${HOSTILE_TEXT}`),
    }));
  }
  return report;
}

/** Times as a run would have summarised them. */
export function drawn(
  name: string,
  { medianNs, spread = 0.25, count = 200, slow = 0.004, at }: Times,
): Distribution {
  using recorder = new DistributionRecorder();
  const next = randomStream(SEED, `${name}/${medianNs}`);
  for (let round = 0; round < ROUNDS; round++) {
    recorder.startRound();
    const drift = Math.exp(0.05 * drawNormal(next));
    for (let call = 0; call < count; call++) {
      const tail = next() < slow ? 20 : 1;
      recorder.record(Math.round(medianNs * drift * tail * Math.exp(spread * drawNormal(next))));
    }
    recorder.endRound();
  }
  const options = { better: "lower", seed: SEED, ...(at === undefined ? {} : { at }) } as const;
  return recorder.distribution(name, options)!;
}

/** Rounds around a value. */
function wavering(value: number) {
  const next = randomStream(SEED, String(value));
  const rounds = Array.from({ length: ROUNDS }, () => value * (1 + 0.04 * drawNormal(next)));
  const { ci95 } = summariseScalar({ name: "", unit: "", better: null, seed: SEED, rounds });
  return { value, rounds, ci95 };
}

function rate(name: string, value: number, at?: Record<string, number>): Scalar {
  return {
    name,
    kind: "scalar",
    unit: "msg/s",
    better: "higher",
    ...wavering(value),
    ...(at === undefined ? {} : { at }),
  };
}

/** Over 12 s, with a stall of half a second: later calls wait, and some intervals have no reply. */
function course(name: string): Distribution {
  using recorder = new DistributionRecorder({ series: { intervalMs: 100, startNs: 0 } });
  const next = randomStream(SEED, name);
  recorder.startRound();
  for (let sentMs = 0; sentMs < 12_000; sentMs += 2) {
    const isStalled = sentMs >= 7_000 && sentMs < 7_500;
    const waitedMs = isStalled ? 7_500 - sentMs : 0;
    const ns = Math.round(1e6 * (waitedMs + 0.8 * Math.exp(0.3 * drawNormal(next))));
    recorder.record(ns, sentMs * 1e6 + ns);
  }
  recorder.endRound();
  return recorder.distribution(name, { better: "lower", seed: SEED })!;
}

function openLoop(): ScenarioReport {
  return sampleScenario("open-loop", {
    parameters: { ratePerSecond: 500, rounds: ROUNDS },
    metrics: [
      drawn("latency", { medianNs: 310_000, slow: 0.02, spread: 0.4 }),
      drawn("serviceTime", { medianNs: 290_000 }),
      drawn("slip", { medianNs: 9_000 }),
      rate("throughput", 500),
    ],
  });
}

function soak(): ScenarioReport {
  return sampleScenario("soak", {
    parameters: { ratePerSecond: 500, rounds: 1 },
    metrics: [course("latency"), { ...rate("throughput", 500), rounds: [500], ci95: null }],
  });
}

function pipelining(): ScenarioReport {
  return sampleScenario("pipelining", {
    metrics: [1, 2, 4, 8, 16, 32, 64].flatMap((inFlight) => [
      rate(`throughput@${inFlight}`, 11_000 * inFlight / (1 + 0.12 * (inFlight - 1)), { inFlight }),
      drawn(`latency@${inFlight}`, {
        medianNs: 90_000 * (1 + 0.12 * (inFlight - 1)),
        at: { inFlight },
      }),
    ]),
  });
}

function scaling(): ScenarioReport {
  const [singleRate, contention, coherency] = [9_000, 0.05, 0.0008];
  const at = (n: number) => singleRate * n / (1 + contention * (n - 1) + coherency * n * (n - 1));
  const fitted = (name: string, value: number): Scalar => ({ ...rate(name, value), unit: "" });
  return sampleScenario("scaling", {
    metrics: [
      ...[1, 2, 4, 8, 16, 32, 64, 128].flatMap((connections) => [
        rate(`throughput@${connections}`, at(connections), { connections }),
        drawn(`latency@${connections}`, {
          medianNs: 1e9 * connections / at(connections),
          at: { connections },
        }),
      ]),
      fitted("singleRate", singleRate),
      fitted("contention", contention),
      fitted("coherency", coherency),
    ],
  });
}

function saturation(): ScenarioReport {
  const rates = [200, 400, 800, 1600, 3200, 6400, 9100, 10_700, 11_500, 12_800];
  return sampleScenario("saturation", {
    parameters: { sloMs: 50, rounds: ROUNDS },
    metrics: [
      ...rates.map((ratePerSecond) =>
        drawn(`latency@${ratePerSecond}`, {
          medianNs: 400_000 / Math.max(0.004, 1 - ratePerSecond / 11_600),
          count: ratePerSecond < 800 ? 40 : 200,
          slow: 0,
          at: { ratePerSecond },
        })
      ),
      rate("sustainableRate", 10_700),
      rate("knee", 6400),
    ],
  });
}

function overhead(): ScenarioReport {
  const layers = [
    ["dispatch", 900],
    ["codec", 2_600],
    ["tcp", 24_000],
    ["websocket", 14_500],
    ["routing", -700],
    ["tool", 11_800],
  ] as const;
  let whole = 0;
  return sampleScenario("overhead-breakdown", {
    metrics: layers.map(([name, value], index) => {
      whole += value;
      const added = {
        above: index === 0 ? null : `layer.${layers[index - 1]![0]}`,
        call: whole,
        value,
        ci95: [value - 900, value + 900] as [number, number],
        share: null,
        shareCi95: null,
        measuredOn: index < 4 ? "bundled" as const : "target" as const,
      };
      return { ...drawn(`layer.${name}`, { medianNs: whole, slow: 0 }), p50: whole, added };
    }),
  });
}
