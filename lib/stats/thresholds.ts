/**
 * Fixed bounds such as `message-throughput.latency.p95<5ms`: reading them, and holding a report
 * against them.
 *
 * @module
 */

import type { Distribution, Ledger, Report, ThresholdResult } from "../schema.ts";
import { countErrors } from "./ledger_errors.ts";
import { parseBound } from "./threshold_bound.ts";
import {
  parseSubject,
  type Statistic,
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
 * Holds a report against a threshold. What was not measured does not pass, and `reason` says why.
 */
export function evaluateThreshold(threshold: Threshold, report: Report): ThresholdResult {
  const { expression, operator, bound, unit } = threshold;
  const figure = findFigure(threshold, report);
  if (typeof figure === "string") {
    return { expression, observed: null, unit, passed: false, reason: figure };
  }
  const passed = OPERATORS[operator](figure, bound);
  return { expression, observed: figure, unit, passed, reason: null };
}

/** The figure that a threshold bounds, or the reason why there is none. */
function findFigure(subject: ThresholdSubject, report: Report): number | string {
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
  const found = scenarios[0].metrics.find(({ name }) => name === metric);
  if (found === undefined) return `${metric} was not measured`;
  if (found.kind === "scalar") return found.value;
  return findStatistic(found, statistic);
}

function findErrors(
  ledgers: readonly Ledger[],
  { asShare }: { asShare: boolean },
): number | string {
  const errors = ledgers.reduce((sum, ledger) => sum + countErrors(ledger), 0);
  if (!asShare) return errors;
  const sent = ledgers.reduce((sum, ledger) => sum + ledger.sent, 0);
  return sent === 0 ? "no call was sent" : 100 * errors / sent;
}

function findStatistic(distribution: Distribution, statistic: Statistic | null): number | string {
  if (statistic === null) return `${distribution.name} is a distribution: no statistic was named`;
  return distribution[statistic] ??
    `${statistic} would rest on too few samples: ${distribution.count} were taken`;
}
