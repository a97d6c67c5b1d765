/**
 * The left-hand side of a threshold: which figure of a report it bounds.
 *
 * @module
 */

import type { Metric } from "../schema.ts";

/** The figures of a distribution that can be bounded, with the percentile that each is. */
export const PERCENTILES = {
  p5: 5,
  p50: 50,
  p75: 75,
  p90: 90,
  p95: 95,
  p99: 99,
  p999: 99.9,
  max: 100,
} as const;
const STATISTICS = ["count", "min", "mean", "stddev", ...Object.keys(PERCENTILES)];

/** A figure of a distribution. */
export type BoundStatistic = keyof typeof PERCENTILES | "count" | "min" | "mean" | "stddev";

/** The metrics of each scenario by name. */
export type ThresholdVocabulary = Record<string, Record<string, Pick<Metric, "kind" | "unit">>>;

/** What a threshold bounds. */
export interface ThresholdSubject {
  /** `null`: of all scenarios together. */
  scenario: string | null;
  /**
   * The name of a metric, or `errors`: the calls that ended in an error; of all scenarios together, those
   * apart that overload the server on purpose.
   */
  metric: string;
  /**
   * Of a metric that is measured at several points, a coordinate of one, such as `8` of `{ inFlight: 8 }`; `null`: the
   * only one, or that of the headline.
   */
  at: string | null;
  /** Of a distribution; `null` for a scalar and for `errors`. */
  statistic: BoundStatistic | null;
  /** `ns` for all times; empty for counts; `%` for errors as a share of the calls sent. */
  unit: string;
}

/**
 * Reads `SCENARIO.METRIC.STATISTIC` (a distribution), `SCENARIO.METRIC` (a scalar),
 * `SCENARIO.errors` or `errors`, where METRIC may be `METRIC@POINT` or `METRIC.POINT`.
 *
 * @throws {SyntaxError} if a part is unknown or missing, with those that are accepted
 */
export function parseSubject(path: string, vocabulary: ThresholdVocabulary): ThresholdSubject {
  const none = { at: null, statistic: null, unit: "" };
  if (path === "errors") return { scenario: null, metric: path, ...none };
  const [scenario, ...rest] = path.split(".");
  const metrics = new Map(Object.entries(vocabulary)).get(scenario);
  if (metrics === undefined) {
    throw unknown("scenario", scenario, [...Object.keys(vocabulary), "errors"]);
  }
  const name = rest.join(".").replace(/\.p99\.9$/, ".p999");
  if (name === "errors") return { scenario, metric: name, ...none };
  return { scenario, ...parseMetric(name, metrics) };
}

function parseMetric(
  text: string,
  metrics: ThresholdVocabulary[string],
): Omit<ThresholdSubject, "scenario"> {
  const [metric] = text.split(/[@.]/, 1);
  const found = new Map(Object.entries(metrics)).get(metric);
  if (found === undefined) throw unknown("metric", text, [...Object.keys(metrics), "errors"]);
  // `@POINT`, `.POINT` or nothing, and then a dot and the statistic, which a scalar may lack.
  const rest = text.slice(metric.length);
  const dot = rest.lastIndexOf(".");
  const last = dot < 0 ? "" : rest.slice(dot + 1);
  const isScalar = found.kind === "scalar";
  const isPoint = isScalar && last !== "value" && !STATISTICS.includes(last);
  const at = (isPoint || dot < 0 ? rest : rest.slice(0, dot)).slice(1);
  const statistic = isPoint ? "value" : last;
  const accepted = isScalar ? ["value"] : STATISTICS;
  if (!accepted.includes(statistic)) throw unknown(`statistic of ${metric}`, statistic, accepted);
  return {
    metric,
    at: at === "" ? null : at,
    statistic: isScalar ? null : statistic as BoundStatistic,
    unit: statistic === "count" ? "" : found.unit,
  };
}

function unknown(what: string, name: string, accepted: readonly string[]): SyntaxError {
  const wrong = name === "" ? `it names no ${what}` : `"${name}" is no ${what}`;
  return new SyntaxError(`${wrong}: accepted are ${accepted.join(", ")}`);
}
