import type { Comparison, Reason, Report } from "../schema.ts";
import { compareReports } from "../stats/compare.ts";
import { evaluateThreshold, type Threshold } from "../stats/thresholds.ts";
import { EXIT, verdictOf } from "./verdict.ts";

/** What a report is held against. */
export interface JudgeOptions {
  thresholds: readonly Threshold[];
  /** Earlier reports to compare with. */
  baselines: readonly Report[];
  /** The noise between runs, where the user states it; `null`: it is learned from the baselines. */
  noisePercent: number | null;
  /** Changes smaller than this do not matter. */
  bandPercent: number;
  /** Compares although workload or environment differ. */
  force: boolean;
  /** Does an invalid or undecided result fail the run? */
  strict: boolean;
}

/** Holds a report against the bounds and the baselines of the user; what was wrong before stays so. */
export function judgeReport(report: Report, options: JudgeOptions): Report {
  const { baselines, strict } = options;
  const thresholds = options.thresholds.map((threshold) => evaluateThreshold(threshold, report));
  const comparison = baselines.length === 0 || report.verdict.status === "interrupted"
    ? undefined
    : compareReports(baselines, report, { ...options, force: true });
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

/** What a comparison says against the run. */
export function regressionReasons(comparison?: Comparison): Reason[] {
  return (comparison?.regressions ?? []).map((message) => ({
    ...{ code: EXIT.regression, kind: "regression", scenario: null, message },
  }));
}

/** A run of which every scenario was skipped has shown nothing; a shard's share may be empty. */
function nothingMeasured({ scenarios, shard }: Report): Reason[] {
  const isEmpty = scenarios.length > 0 && scenarios.every(({ status }) => status === "skipped");
  if (!isEmpty || shard !== undefined) return [];
  const causes = [...Map.groupBy(scenarios, ({ reason }) => reason)].map(([reason, all]) =>
    `${all.map(({ name }) => name).join(", ")}: ${reason}`
  );
  const message = `nothing was measured: ${causes.join("; ")}`;
  return [{ code: EXIT.checkFailed, kind: "nothingMeasured", scenario: null, message }];
}

/** With `--strict`: what is invalid, and what cannot be decided. */
function invalidReasons({ scenarios }: Report, comparison?: Comparison): Reason[] {
  const reason = (kind: string, scenario: string, message: string): Reason => ({
    ...{ code: EXIT.invalid, kind, scenario, message },
  });
  const invalid = scenarios.filter(({ validity }) => !validity.valid).map(({ name, validity }) =>
    reason("invalid", name, validity.warnings.map(({ message }) => message).join("; "))
  );
  const unknown = "it cannot be said if the client was the bottleneck: measure more epochs";
  const undecidedClient = scenarios.filter(({ validity }) => validity.client === "undecided")
    .map(({ name }) => reason("undecidedClient", name, unknown));
  const undecided = (comparison?.rows ?? [])
    .filter(({ gating, verdict }) => gating && verdict === "undecided")
    .map(({ scenario, metric, statistic }) =>
      reason("undecided", scenario, `${metric} ${statistic}: undecided against the baselines`)
    );
  return [...invalid, ...undecidedClient, ...undecided];
}
