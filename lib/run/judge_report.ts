import type { Reason, Report } from "../schema.ts";
import { compareReports } from "../stats/compare.ts";
import { evaluateThreshold, type Threshold } from "../stats/thresholds.ts";
import { EXIT, verdictOf } from "./verdict.ts";

/** What a report is held against. */
export interface JudgeOptions {
  thresholds: readonly Threshold[];
  /** An earlier report to compare with. */
  baseline: Report | null;
  noisePercent: number;
  /** Compares although workload or environment differ. */
  force: boolean;
  /** Whether an invalid measurement fails the run. */
  strict: boolean;
}

/** Holds a report against the bounds and the baseline of the user; what was wrong before stays so. */
export function judgeReport(report: Report, options: JudgeOptions): Report {
  const thresholds = options.thresholds.map((threshold) => evaluateThreshold(threshold, report));
  const missed = thresholds.filter(({ passed }) => !passed).map((
    { expression, observed, unit, reason },
  ) => ({
    code: EXIT.thresholdMissed,
    scenario: null,
    message: `threshold ${expression} missed: ${
      reason ?? `observed ${Number(observed?.toPrecision(6))} ${unit}`.trim()
    }`,
  }));
  const { baseline } = options;
  const comparison = baseline === null || report.verdict.status === "interrupted"
    ? {}
    : { comparison: compareReports(baseline, report, { ...options, force: true }) };
  const regressions = (comparison.comparison?.regressions ?? []).map((message) => ({
    code: EXIT.regression,
    scenario: null,
    message,
  }));
  const invalid = options.strict ? invalidReasons(report) : [];
  const reasons = [...report.verdict.reasons, ...invalid, ...missed, ...regressions];
  return {
    ...report,
    ...comparison,
    ...(thresholds.length === 0 ? {} : { thresholds }),
    verdict: verdictOf(reasons),
  };
}

function invalidReasons({ scenarios }: Report): Reason[] {
  return scenarios.filter(({ validity }) => !validity.valid).map(({ name, validity }) => ({
    code: EXIT.invalid,
    scenario: name,
    message: validity.warnings.join("; "),
  }));
}
