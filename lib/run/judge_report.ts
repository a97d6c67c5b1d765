import type { Comparison, Reason, Report } from "../schema.ts";
import { compareReports } from "../stats/compare.ts";
import { evaluateThreshold, type Threshold } from "../stats/thresholds.ts";
import { EXIT, verdictOf } from "./verdict.ts";

/** What a report is judged by. */
export interface JudgeOptions {
  thresholds: readonly Threshold[];
  /** Earlier reports to compare with. */
  baselines: readonly Report[];
  /** The noise between runs if the user states it; `null`: learned from the baselines. */
  noisePercent: number | null;
  /** Changes smaller than this do not matter. */
  bandPercent: number;
  /** Compares even if workload or environment differ. */
  force: boolean;
  /** True if invalid or undecided results fail the run. */
  strict: boolean;
}

/**
 * Adds the results of thresholds, and of a comparison: the given one, or with the baselines.
 * Earlier reasons for failure remain. An interrupted run is not compared.
 */
export function judgeReport(report: Report, options: JudgeOptions, given?: Comparison): Report {
  const { baselines, strict } = options;
  const thresholds = options.thresholds.map((threshold) => evaluateThreshold(threshold, report));
  const compared = given ??
    (baselines.length === 0
      ? undefined
      : compareReports(baselines, report, { ...options, force: true }));
  const comparison = report.verdict.status === "interrupted" ? undefined : compared;
  const reasons = [
    ...report.verdict.reasons,
    ...nothingMeasured(report),
    ...strict ? invalidReasons(report, comparison) : [],
    ...thresholds.filter(({ passed }) => !passed).map(({ expression, observed, unit, reason }) => {
      const seen = reason ?? `observed ${Number(observed?.toPrecision(6))} ${unit}`.trim();
      const message = `threshold ${expression} missed: ${seen}`;
      return { code: EXIT.thresholdMissed, kind: "threshold", scenario: null, message, observed };
    }),
    ...regressionReasons(comparison),
  ];
  return {
    ...report,
    ...(comparison === undefined ? {} : { comparison }),
    ...(thresholds.length === 0 ? {} : { thresholds }),
    verdict: verdictOf(reasons),
  };
}

function regressionReasons(comparison?: Comparison): Reason[] {
  return (comparison?.regressions ?? []).map((message) => ({
    ...{ code: EXIT.regression, kind: "regression", scenario: null, message },
  }));
}

/** Fails a run that skipped every scenario, unless it is a shard, whose share may be empty. */
function nothingMeasured({ scenarios, shard }: Report): Reason[] {
  const isEmpty = scenarios.length > 0 && scenarios.every(({ status }) => status === "skipped");
  if (!isEmpty || shard !== undefined) return [];
  const causes = [...Map.groupBy(scenarios, ({ reason }) => reason)].map(([reason, all]) =>
    `${all.map(({ name }) => name).join(", ")}: ${reason}`
  );
  const message = `nothing was measured: ${causes.join("; ")}`;
  return [{ code: EXIT.checkFailed, kind: "nothingMeasured", scenario: null, message }];
}

/** Reasons for failure with `--strict`: invalid scenarios, and undecided results. */
function invalidReasons({ scenarios }: Report, comparison?: Comparison): Reason[] {
  const reason = (kind: string, scenario: string, message: string): Reason => ({
    ...{ code: EXIT.invalid, kind, scenario, message },
  });
  const invalid = scenarios.filter(({ validity }) => !validity.valid).map(({ name, validity }) =>
    reason("invalid", name, validity.warnings.map(({ message }) => message).join("; "))
  );
  const unknown = "it is unknown whether the client was the bottleneck: measure more epochs";
  const undecidedClient = scenarios.filter(({ validity }) => validity.client === "undecided")
    .map(({ name }) => reason("undecidedClient", name, unknown));
  const against = comparison?.noise === "paired" ? "A" : "the baselines";
  const undecided = (comparison?.rows ?? [])
    .filter(({ gating, verdict }) => gating && verdict === "undecided")
    .map(({ scenario, metric, statistic }) =>
      reason("undecided", scenario, `${metric} ${statistic}: undecided against ${against}`)
    );
  return [...invalid, ...undecidedClient, ...undecided];
}
