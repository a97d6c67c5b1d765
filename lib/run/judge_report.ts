import type { Reason, Report } from "../schema.ts";
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
  const thresholds = options.thresholds.map((threshold) => evaluateThreshold(threshold, report));
  const missed = thresholds.filter(({ passed }) => !passed).map((
    { expression, observed, unit, reason },
  ) => ({
    code: EXIT.thresholdMissed,
    kind: "threshold",
    scenario: null,
    message: `threshold ${expression} missed: ${
      reason ?? `observed ${Number(observed?.toPrecision(6))} ${unit}`.trim()
    }`,
    observed,
  }));
  const { baselines } = options;
  const comparison = baselines.length === 0 || report.verdict.status === "interrupted"
    ? undefined
    : compareReports(baselines, report, { ...options, force: true });
  const regressions = (comparison?.regressions ?? []).map((message) => ({
    code: EXIT.regression,
    kind: "regression",
    scenario: null,
    message,
  }));
  const invalid = options.strict ? invalidReasons(report, comparison) : [];
  const empty = nothingMeasured(report);
  const reasons = [...report.verdict.reasons, ...empty, ...invalid, ...missed, ...regressions];
  return {
    ...report,
    ...(comparison === undefined ? {} : { comparison }),
    ...(thresholds.length === 0 ? {} : { thresholds }),
    verdict: verdictOf(reasons),
  };
}

/** A run of which every scenario was skipped has shown nothing; a shard's share may be empty. */
function nothingMeasured({ scenarios, shard }: Report): Reason[] {
  const isEmpty = scenarios.length > 0 && scenarios.every(({ status }) => status === "skipped");
  if (!isEmpty || shard !== undefined) return [];
  return [{
    code: EXIT.checkFailed,
    kind: "nothingMeasured",
    scenario: null,
    message: `nothing was measured: ${
      [...Map.groupBy(scenarios, ({ reason }) => reason)]
        .map(([reason, all]) => `${all.map(({ name }) => name).join(", ")}: ${reason}`).join("; ")
    }`,
  }];
}

/** With `--strict`: what is invalid, and what cannot be decided. */
function invalidReasons(
  { scenarios }: Report,
  comparison: Report["comparison"],
): Reason[] {
  const invalid = scenarios.filter(({ validity }) => !validity.valid).map(({ name, validity }) => ({
    code: EXIT.invalid,
    kind: "invalid",
    scenario: name,
    message: validity.warnings.map(({ message }) => message).join("; "),
  }));
  const undecidedClient = scenarios.filter(({ validity }) => validity.client === "undecided").map(
    ({ name }) => ({
      code: EXIT.invalid,
      kind: "undecidedClient",
      scenario: name,
      message: "it cannot be said if the client was the bottleneck: measure more epochs",
    }),
  );
  const undecided = (comparison?.rows ?? []).filter(({ gating, verdict }) =>
    gating && verdict === "undecided"
  ).map(({ scenario, metric, statistic }) => ({
    code: EXIT.invalid,
    kind: "undecided",
    scenario,
    message: `${metric} ${statistic}: undecided against the baselines`,
  }));
  return [...invalid, ...undecidedClient, ...undecided];
}
