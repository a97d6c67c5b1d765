/**
 * Scenarios of sample reports from short descriptions in sample_scenarios.txt.
 *
 * @module
 */

import type {
  At,
  Check,
  Distribution,
  Ledger,
  Metric,
  Scalar,
  ScenarioReport,
} from "../../lib/schema.ts";
import { LatencyHistogram } from "../../lib/stats/histogram.ts";
import descriptions from "./sample_scenarios.txt" with { type: "text" };
import { ledgerWith } from "./targets.ts";

export const EPOCHS = 10;
/** Deviation of each epoch's value from the mean, in per cent. */
export const WOBBLE = [0, 1.2, -0.8, 0.5, -1.3, 0.9, -0.2, 1.1, -0.6, -0.8];

type Rest<T> = Partial<T> & { at?: At };

/** `count` times around a median, with the percentiles that this many samples support. */
export function times(
  name: string,
  medianMs: number,
  count = 2000,
  rest: Rest<Distribution> = {},
): Distribution {
  const median = medianMs * 1e6;
  const at = (q: number) => Math.round(median * (q / (1 - q)) ** 0.14);
  const enough = (q: number) => count * (1 - q) >= 10 - 1e-9 ? at(q) : null;
  using histogram = new LatencyHistogram();
  const steps = Math.min(count, 400);
  for (let index = 0; index < steps; index++) {
    for (let nth = Math.max(1, Math.floor(count / steps)); nth > 0; nth--) {
      histogram.record(at((index + 0.5) / steps));
    }
  }
  const [min, mean, max] = [at(0.5 / count), Math.round(median * 1.04), at(1 - 0.5 / count)];
  const interval = (value: number | null): [number, number] | null =>
    value === null ? null : [value * 0.97, value * 1.03];
  return {
    name,
    kind: "distribution",
    unit: "ns",
    role: "detail",
    better: "lower",
    count,
    censored: 0,
    min,
    mean,
    stddev: median / 4,
    p5: enough(0.95) === null ? null : at(0.05),
    p50: median,
    p75: enough(0.75),
    p90: enough(0.9),
    p95: enough(0.95),
    p99: enough(0.99),
    p999: enough(0.999),
    max,
    histogram: histogram.encode(),
    ci95: {
      p5: null,
      p50: interval(median),
      p95: interval(enough(0.95)),
      p99: null,
      mean: interval(mean),
    },
    spread: { within: 0.02, between: 0.01 },
    series: [],
    epochs: WOBBLE.map((percent) => ({
      count: Math.round(count / EPOCHS),
      censored: 0,
      min,
      mean,
      p5: null,
      p50: median * (1 + percent / 100),
      p95: null,
      p99: null,
      max,
    })),
    ...rest,
  };
}

/** A metric with one value per epoch. */
export function scalar(name: string, value: number, unit: string, rest: Rest<Scalar> = {}): Scalar {
  return {
    name,
    kind: "scalar",
    unit,
    role: "detail",
    better: "higher",
    value,
    ci95: [value * 0.96, value * 1.04],
    spread: { within: 0.03, between: 0.02 },
    epochs: WOBBLE.map((percent) => value * (1 + percent / 100)),
    ...rest,
  };
}

/** A ledger of `sent` calls; those not named are ok, each with one progress frame. */
export function ledger(
  sent: number,
  others: Partial<Omit<Ledger, "frames" | "sent" | "ok">> = {},
): Ledger {
  const { toolError = 0, rateLimited = 0, timeout = 0, connectionLost = 0, aborted = 0 } = others;
  const ok = sent - toolError - rateLimited - timeout - connectionLost - aborted;
  const final = ok + toolError + rateLimited;
  const frames = { received: final + ok, final, progress: ok };
  return ledgerWith({ sent, ok, frames, closeCodes: { "1000": 1 }, ...others });
}

/** A passed, valid scenario without metrics, overridden by `parts`. */
export function sampleScenario(name: string, parts: Partial<ScenarioReport> = {}): ScenarioReport {
  const title = name.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase());
  return {
    name,
    title,
    question: `What does ${name} show?`,
    status: "passed",
    reason: null,
    startedAt: "2025-10-26T17:10:05.000Z",
    durationMs: 4300,
    parameters: { messages: 200 },
    checks: checksOf("every call was served: all"),
    notMeasured: [],
    warmupLedger: ledger(20),
    ledger: ledger(2000),
    metrics: [],
    validity: {
      valid: true,
      client: "free",
      clientShare: 0.25,
      clientShareCi95: [0.23, 0.27],
      floor: { throughput: 4604, latencyP50Ns: 210_000 },
      clientCpu: 0.31,
      loopLagP99Ns: 210_000,
      warnings: [],
    },
    ...parts,
  };
}

/**
 * Metrics from lines such as `latency 0.82 ms n=2000 *` and `throughput 1771 msg/s @clients=5`: a
 * name, a value, a unit (`ms` makes a distribution), and optionally the number of samples, the
 * place, `*` for a headline and `1` for a single value.
 */
export function metricsOf(lines: string): Metric[] {
  return lines.trim().split(/\s*\n\s*/).map((line) => {
    const [name = "", value = "", unit = "", ...flags] = line.split(" ");
    const places = flags.filter((flag) => flag.startsWith("@"))
      .map((flag) => flag.slice(1).split("="))
      .map(([key, place = ""]) => [key, Number.isNaN(Number(place)) ? place : Number(place)]);
    const at = places.length === 0 ? {} : { at: Object.fromEntries(places) };
    const count = Number(flags.find((flag) => flag.startsWith("n="))?.slice(2) ?? 2000);
    const role = flags.includes("*") ? "headline" : "detail";
    if (unit === "ms") return times(name, Number(value), count, { role, gates: ["p50"], ...at });
    const single = flags.includes("1") ? { ci95: null, epochs: [Number(value)], better: null } : {};
    const unitName = unit === "-" ? "" : unit;
    return scalar(name, Number(value), unitName, { role, gates: ["value"], ...single, ...at });
  });
}

/** Checks from lines such as `name: expected: observed`; a leading `!` means failed. */
export function checksOf(...lines: string[]): Check[] {
  return lines.map((line) => {
    const [name = "", expected = "", observed = expected] = line.replace("!", "").split(": ");
    return { kind: "sample", name, passed: !line.startsWith("!"), expected, observed };
  });
}

/**
 * The scenario in sample_scenarios.txt: its question, then lines of metrics and lines that start
 * with `calls`, `check`, `notMeasured`, `note` or `answer`.
 */
export function scenario(name: string, parts: Partial<ScenarioReport> = {}): ScenarioReport {
  const text = descriptions.split("# ").find((one) => one.startsWith(`${name}\n`))!;
  const [, question = "", ...lines] = text.trim().split("\n");
  const linesOf = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const pairs = (word: string) => linesOf(word).map((line) => line.split(/: (.*)/));
  const words = /^(?:calls|check|notMeasured|note|answer) /;
  const calls = linesOf("calls").map(Number)[0] ?? 2000;
  const [answer] = linesOf("answer");
  const checks = linesOf("check");
  const notes = pairs("note").map(([kind = "", message = ""]) => ({ kind, message }));
  const isLayer = name === "overhead-breakdown";
  const metrics = metricsOf(lines.filter((line) => !words.test(line)).join("\n"));
  return sampleScenario(name, {
    question,
    ...(checks.length === 0 ? {} : { checks: checksOf(...checks) }),
    notMeasured: pairs("notMeasured").map(([name = "", reason = ""]) => ({ name, reason })),
    ledger: ledger(calls),
    warmupLedger: ledger(Math.min(calls, 20)),
    metrics: isLayer ? metrics.map(layered) : metrics,
    ...(answer === undefined ? {} : { answer }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(/limit|saturation/.test(name) ? { overloads: true } : {}),
    ...parts,
  });
}

const CONTAINED: Record<string, string[]> = {
  ...{ tcp: ["wakeup"], websocket: ["tcp"], routing: ["websocket"] },
  tool: ["routing", "dispatch"],
};

/** Adds to a layer what it takes beyond those that it contains. */
function layered(metric: Metric, index: number, all: Metric[]): Metric {
  if (metric.name !== "layer" || metric.kind !== "distribution") return metric;
  const names = CONTAINED[String(metric.at!.layer)] ?? [];
  const contained = names.flatMap((name) => all.filter(({ at }) => at?.layer === name));
  const value = contained.reduce(
    (rest, one) => rest - (one.kind === "distribution" ? one.p50 : 0),
    metric.p50,
  );
  return {
    ...metric,
    added: {
      above: names[0] ?? null,
      value,
      ci95: [value * 0.9, value * 1.1],
      share: value / 820_000,
      shareCi95: null,
      measuredOn: index < 5 ? "bundled" : "target",
    },
  };
}
