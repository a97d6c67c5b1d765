/**
 * The left-hand side of a threshold: which figure of a report it bounds.
 *
 * @module
 */

import type { Metric } from "../schema.ts";

const STATISTICS = [
  "count",
  "min",
  "mean",
  "stddev",
  "p50",
  "p75",
  "p90",
  "p95",
  "p99",
  "p999",
  "max",
] as const;

/** A figure of a distribution. */
export type Statistic = typeof STATISTICS[number];

/**
 * The metrics of each scenario by name. The steps of a sweep, such as `throughput@8`, are one
 * entry: `throughput@N`; the distributions of tools, such as `latency.chat`, are `latency.TOOL`.
 */
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
  /** Of a distribution; `null` for a scalar and for `errors`. */
  statistic: Statistic | null;
  /** `ns` for all times; empty for counts; `%` for errors as a share of the calls sent. */
  unit: string;
}

/**
 * Reads `SCENARIO.METRIC.STATISTIC` (a distribution), `SCENARIO.METRIC` (a scalar),
 * `SCENARIO.errors` or `errors`.
 *
 * @throws {SyntaxError} if a part is unknown or missing, with those that are accepted
 */
export function parseSubject(path: string, vocabulary: ThresholdVocabulary): ThresholdSubject {
  if (path === "errors") return { scenario: null, metric: path, statistic: null, unit: "" };
  const [scenario, ...rest] = path.split(".");
  const metrics = new Map(Object.entries(vocabulary)).get(scenario);
  if (metrics === undefined) {
    throw unknown("scenario", scenario, [...Object.keys(vocabulary), "errors"]);
  }
  const name = rest.join(".").replace(/\.p99\.9$/, ".p999");
  if (name === "errors") return { scenario, metric: name, statistic: null, unit: "" };
  return { scenario, ...parseMetric(name, metrics) };
}

function parseMetric(
  name: string,
  metrics: ThresholdVocabulary[string],
): Pick<ThresholdSubject, "metric" | "statistic" | "unit"> {
  const listed = new Map(Object.entries(metrics));
  const find = (metric: string) =>
    metric.endsWith("@N") ? undefined : listed.get(metric.replace(/@\d+$/, "@N"));
  const dot = find(name) === undefined ? name.lastIndexOf(".") : -1;
  const metric = dot < 0 ? name : name.slice(0, dot);
  const statistic = dot < 0 ? "" : name.slice(dot + 1);
  const ofTools = metric.includes(".") ? listed.get(metric.replace(/\..*/, ".TOOL")) : undefined;
  const found = find(metric) ?? ofTools;
  if (found === undefined) throw unknown("metric", name, [...listed.keys(), "errors"]);
  if (found.kind === "scalar") {
    if (statistic === "" || statistic === "value") {
      return { metric, statistic: null, unit: found.unit };
    }
    throw unknown(`statistic of ${metric}`, statistic, ["value (or none)"]);
  }
  const known = STATISTICS.find((one) => one === statistic);
  if (known === undefined) throw unknown(`statistic of ${metric}`, statistic, STATISTICS);
  return { metric, statistic: known, unit: known === "count" ? "" : found.unit };
}

function unknown(what: string, name: string, accepted: readonly string[]): SyntaxError {
  const wrong = name === "" ? `it names no ${what}` : `"${name}" is no ${what}`;
  return new SyntaxError(`${wrong}: accepted are ${accepted.join(", ")}`);
}
