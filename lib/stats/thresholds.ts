import type { Distribution, Ledger, Metric, Report, ThresholdResult } from "../schema.ts";
import { countErrors } from "./ledger_errors.ts";
import { isAtLeast } from "./percentiles.ts";

const OPERATORS = {
  "<=": (observed: number, bound: number) => observed <= bound,
  ">=": (observed: number, bound: number) => observed >= bound,
  "<": (observed: number, bound: number) => observed < bound,
  ">": (observed: number, bound: number) => observed > bound,
  "=": (observed: number, bound: number) => observed === bound,
};
/** Percentiles of a distribution that can be bounded. */
const PERCENTILES = { p5: 5, p50: 50, p75: 75, p90: 90, p95: 95, p99: 99, p999: 99.9, max: 100 };
const STATISTICS = ["count", "min", "mean", "stddev", ...Object.keys(PERCENTILES)];
type BoundStatistic = keyof typeof PERCENTILES | "count" | "min" | "mean" | "stddev";

const NS_PER_UNIT = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["µs", 1e3], // micro sign
  ["μs", 1e3], // Greek mu
  ["ms", 1e6],
  ["s", 1e9],
]);
const NUMBER_WITH_UNIT = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)$/i;

/** The metrics of each scenario, by name. */
export type ThresholdVocabulary = Record<string, Record<string, Pick<Metric, "kind" | "unit">>>;

/** The bounded figure. */
interface Subject {
  /** `null`: all scenarios together. */
  scenario: string | null;
  /** Or `errors`: without a scenario, those that overload the server on purpose are left out. */
  metric: string;
  /** A coordinate of its point, such as `8` of `{ inFlight: 8 }`; `null` for the default point. */
  at: string | null;
  /** `null` for a scalar and for `errors`. */
  statistic: BoundStatistic | null;
  /** `ns` for times, empty for counts, `%` for errors as a share of calls sent. */
  unit: string;
}

export interface Threshold extends Subject {
  /** As written by the user. */
  expression: string;
  operator: keyof typeof OPERATORS;
  /** In `unit`. */
  bound: number;
}

/** The message names the expression, what is wrong and what is accepted. */
export class ThresholdError extends Error {
  override name = "ThresholdError";
}

/**
 * Parses `METRIC OP VALUE`. METRIC is `SCENARIO.METRIC.STATISTIC` for a distribution,
 * `SCENARIO.METRIC` for a scalar (in both, METRIC can be `METRIC@POINT` or `METRIC.POINT`),
 * `errors` or `SCENARIO.errors`. OP is one of < <= > >= =. VALUE is a number with a unit; for
 * `errors` that can be `%` of the calls sent.
 *
 * @throws {ThresholdError} if the expression is malformed, or a name is not in the vocabulary
 */
export function parseThreshold(expression: string, vocabulary: ThresholdVocabulary): Threshold {
  try {
    const parts = /^([^<>=!]+)(<=|>=|<|>|=)([^<>=!]+)$/.exec(expression);
    if (parts === null) {
      throw new SyntaxError("it is not METRIC OP VALUE: accepted operators are <, <=, >, >= and =");
    }
    const [path, operator, value] = parts.slice(1).map((part) => part.trim());
    const subject = parseSubject(path, vocabulary);
    if (subject.metric === "errors" && value.endsWith("%")) subject.unit = "%";
    const bound = parseBound(value, subject.unit);
    return { expression, ...subject, operator: operator as Threshold["operator"], bound };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ThresholdError(`Cannot read the threshold "${expression}" as ${error.message}`);
  }
}

/** @throws {SyntaxError} if a part is unknown or missing */
function parseSubject(path: string, vocabulary: ThresholdVocabulary): Subject {
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
): Omit<Subject, "scenario"> {
  const [metric] = text.split(/[@.]/, 1);
  const found = new Map(Object.entries(metrics)).get(metric);
  if (found === undefined) throw unknown("metric", text, [...Object.keys(metrics), "errors"]);
  // `@POINT`, `.POINT` or nothing, then a dot and the statistic, which is optional for a scalar.
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
  const wrong = name === "" ? `it names no ${what}` : `"${name}" is not a ${what}`;
  return new SyntaxError(`${wrong}: accepted are ${accepted.join(", ")}`);
}

/**
 * Parses a number with a unit and returns it in `unit`. For `ns` a unit of time is required, as a
 * bare number is ambiguous. Otherwise only `unit` itself is accepted, and optional.
 *
 * @throws {SyntaxError} if it is not a number, or in another unit
 */
function parseBound(text: string, unit: string): number {
  const [, digits, given] = NUMBER_WITH_UNIT.exec(text) ?? [];
  if (digits === undefined) throw new SyntaxError(`"${text}" is not a number with a unit`);
  const number = Number(digits);
  if (unit !== "ns") {
    if (given === "" || given === unit) return number;
    const accepted = unit === "" ? "a number without a unit" : `${unit}, or no unit`;
    throw new SyntaxError(`the unit "${given}" does not fit: accepted is ${accepted}`);
  }
  const nsPerUnit = NS_PER_UNIT.get(given);
  if (nsPerUnit !== undefined) return number * nsPerUnit;
  const wrong = given === "" ? "a time needs a unit" : `"${given}" is not a unit of time`;
  throw new SyntaxError(`${wrong}: accepted are ns, us, µs, ms and s`);
}

/**
 * Evaluates a threshold on a report. A figure that was not measured does not pass, and `reason`
 * says why. A lower bound of a time does not pass an upper bound.
 */
export function evaluateThreshold(threshold: Threshold, report: Report): ThresholdResult {
  const { expression, operator, bound, unit } = threshold;
  const figure = findFigure(threshold, report);
  if (typeof figure === "string") {
    return { expression, observed: null, unit, passed: false, reason: figure };
  }
  const { observed, atLeast } = figure;
  const isOpen = atLeast !== undefined && !operator.startsWith(">") && observed <= bound;
  const passed = OPERATORS[operator](observed, bound) && !isOpen;
  return { expression, observed, unit, passed, reason: isOpen ? atLeast : null };
}

interface ObservedFigure {
  observed: number;
  /** Why the true figure may be larger. */
  atLeast?: string;
}

/** The bounded figure, or the reason why there is none. */
function findFigure(subject: Subject, report: Report): ObservedFigure | string {
  const { scenario, metric, statistic, unit } = subject;
  const scenarios = report.scenarios.filter(({ name, status }) =>
    (scenario === null || name === scenario) && status !== "skipped"
  );
  if (scenarios.length === 0) {
    return scenario === null ? "no scenario was run" : `${scenario} was not run`;
  }
  if (metric === "errors") {
    // Scenarios that make calls fail on purpose count only if named.
    const counted = scenario === null ? scenarios.filter(({ overloads }) => !overloads) : scenarios;
    if (counted.length === 0) {
      return "every scenario run fails calls on purpose: use SCENARIO.errors";
    }
    const total = (of: (ledger: Ledger) => number) =>
      counted.reduce((sum, { ledger }) => sum + of(ledger), 0);
    if (unit !== "%") return { observed: total(countErrors) };
    const sent = total((ledger) => ledger.sent);
    return sent === 0 ? "no call was sent" : { observed: 100 * total(countErrors) / sent };
  }
  const found = findMetric(subject, scenarios[0].metrics);
  if (typeof found === "string") return found;
  return found.kind === "scalar" ? { observed: found.value } : findStatistic(found, statistic);
}

/** The metric at the named point; by default the one without a point, or else the headline. */
function findMetric({ metric, at }: Subject, metrics: readonly Metric[]): Metric | string {
  const found = metrics.filter((one) =>
    one.name === metric &&
    (at === null || Object.values(one.at ?? {}).some((value) => String(value) === at))
  );
  if (found.length === 0) return `${metric} was not measured${at === null ? "" : ` at ${at}`}`;
  if (found.length === 1) return found[0];
  const several = `${metric} was measured at ${found.length} points: name one of them`;
  if (at !== null) return several;
  return found.find((one) => one.at === undefined) ??
    found.find(({ role }) => role === "headline") ?? several;
}

function findStatistic(
  distribution: Distribution,
  statistic: BoundStatistic | null,
): ObservedFigure | string {
  if (statistic === null) return `${distribution.name} is a distribution: no statistic was named`;
  const { count, censored } = distribution;
  const observed = distribution[statistic];
  if (observed === null) {
    return `too few samples for ${statistic}: ${count + censored} were taken`;
  }
  if (statistic === "count" || statistic === "min" || statistic === "stddev") return { observed };
  // A single call of unknown duration makes the mean unknown as well.
  const isOpen = isAtLeast(distribution, statistic === "mean" ? 100 : PERCENTILES[statistic]);
  if (!isOpen) return { observed };
  return { observed, atLeast: `only a lower bound: ${censored} calls had no answer` };
}
