/**
 * Fixed bounds such as `message-throughput.latency.p95<5ms`: reading them, and holding a report
 * against them.
 *
 * @module
 */

import type { Distribution, Ledger, Metric, Report, ThresholdResult } from "../schema.ts";
import { countErrors } from "./ledger_errors.ts";
import { isAtLeast } from "./percentiles.ts";
import { parseBound } from "./threshold_bound.ts";
import {
  type BoundStatistic,
  parseSubject,
  PERCENTILES,
  type ThresholdSubject,
  type ThresholdVocabulary,
} from "./threshold_subject.ts";

export type { ThresholdVocabulary } from "./threshold_subject.ts";

const OPERATORS = {
  "<=": (observed: number, bound: number) => observed <= bound,
  ">=": (observed: number, bound: number) => observed >= bound,
  "<": (observed: number, bound: number) => observed < bound,
  ">": (observed: number, bound: number) => observed > bound,
  "=": (observed: number, bound: number) => observed === bound,
};

/** A bound on one figure of a report. */
export interface Threshold extends ThresholdSubject {
  /** As it was written. */
  expression: string;
  operator: keyof typeof OPERATORS;
  /** In `unit`. */
  bound: number;
}

/**
 * Thrown for an expression that cannot be read: the message names it, what is wrong and what is
 * accepted.
 */
export class ThresholdError extends Error {
  override name = "ThresholdError";
}

/**
 * Reads `METRIC OP VALUE`. METRIC is `SCENARIO.METRIC.STATISTIC` for a distribution,
 * `SCENARIO.METRIC` for a scalar, `errors` or `SCENARIO.errors`; OP is one of < <= > >= =; VALUE is
 * a number with its unit, `%` of the calls sent being one of `errors`.
 *
 * @throws {ThresholdError} if the expression is malformed, or names what is not in the vocabulary
 */
export function parseThreshold(expression: string, vocabulary: ThresholdVocabulary): Threshold {
  try {
    const parts = /^([^<>=!]+)(<=|>=|<|>|=)([^<>=!]+)$/.exec(expression);
    if (parts === null) {
      throw new SyntaxError("it is not METRIC OP VALUE: as OP are accepted <, <=, >, >= and =");
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

/**
 * Holds a report against a threshold. What was not measured does not pass, and `reason` says why; nor does a time that is
 * known as "at least" only, where the threshold bounds it from above.
 */
export function evaluateThreshold(threshold: Threshold, report: Report): ThresholdResult {
  const { expression, operator, bound, unit } = threshold;
  const figure = findFigure(threshold, report);
  if (typeof figure === "string") {
    return { expression, observed: null, unit, passed: false, reason: figure };
  }
  const { observed, atLeast } = figure;
  const meets = OPERATORS[operator](observed, bound);
  const isOpen = atLeast !== undefined && !operator.startsWith(">") && observed <= bound;
  return {
    expression,
    observed,
    unit,
    passed: meets && !isOpen,
    reason: isOpen ? atLeast : null,
  };
}

/** A figure; `atLeast` says why the true one may be larger. */
interface ObservedFigure {
  observed: number;
  atLeast?: string;
}

/** The figure that a threshold bounds, or the reason why there is none. */
function findFigure(subject: ThresholdSubject, report: Report): ObservedFigure | string {
  const { scenario, metric, statistic, unit } = subject;
  const scenarios = report.scenarios.filter(({ name, status }) =>
    (scenario === null || name === scenario) && status !== "skipped"
  );
  if (scenarios.length === 0) {
    return scenario === null ? "no scenario was run" : `${scenario} was not run`;
  }
  if (metric === "errors") {
    // Of what was meant to fail only where it is asked for by name.
    const counted = scenario === null ? scenarios.filter(({ overloads }) => !overloads) : scenarios;
    if (counted.length === 0) {
      return "all that was run fails calls on purpose: bound SCENARIO.errors";
    }
    return findErrors(counted.map(({ ledger }) => ledger), { asShare: unit === "%" });
  }
  const found = findMetric(subject, scenarios[0].metrics);
  if (typeof found === "string") return found;
  return found.kind === "scalar" ? { observed: found.value } : findStatistic(found, statistic);
}

/** At the point named; where none is, of several the one without a point or, where all have one, the headline. */
function findMetric(
  { metric, at }: ThresholdSubject,
  metrics: readonly Metric[],
): Metric | string {
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

function findErrors(
  ledgers: readonly Ledger[],
  { asShare }: { asShare: boolean },
): ObservedFigure | string {
  const errors = ledgers.reduce((sum, ledger) => sum + countErrors(ledger), 0);
  if (!asShare) return { observed: errors };
  const sent = ledgers.reduce((sum, ledger) => sum + ledger.sent, 0);
  return sent === 0 ? "no call was sent" : { observed: 100 * errors / sent };
}

function findStatistic(
  distribution: Distribution,
  statistic: BoundStatistic | null,
): ObservedFigure | string {
  if (statistic === null) return `${distribution.name} is a distribution: no statistic was named`;
  const { count, censored } = distribution;
  const observed = distribution[statistic];
  if (observed === null) {
    return `${statistic} would rest on too few samples: ${count + censored} were taken`;
  }
  if (statistic === "count" || statistic === "min" || statistic === "stddev") return { observed };
  // One call that took who knows how long makes the mean unknown, too.
  const isOpen = isAtLeast(distribution, statistic === "mean" ? 100 : PERCENTILES[statistic]);
  return isOpen
    ? { observed, atLeast: `it is at least that: ${censored} calls had no answer` }
    : { observed };
}
