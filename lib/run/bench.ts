/**
 * One benchmark run: preflight, scenarios, in-process baseline, and the report of it all.
 *
 * @module
 */

import type { Check, Clock, Reason, Report } from "../contract.ts";
import type { Target } from "../net/target.ts";
import { redactUrl } from "../net/redact_url.ts";
import { FloorGauge } from "./client_floor.ts";
import { readEnvironment } from "./environment.ts";
import { runPreflight } from "./preflight.ts";
import {
  notRun,
  type PlannedScenario,
  type Progress,
  runSuite,
  type SuiteResult,
} from "./runner.ts";
import { findDifferences, IncomparableError } from "../stats/comparability.ts";
import { compareReports } from "../stats/compare.ts";
import { evaluateThreshold, type Threshold } from "../stats/thresholds.ts";
import { type BundledServer, TargetUnusableError } from "./scenario.ts";
import { measureUnitBaseline } from "./unit_baseline.ts";
import { EXIT, INTERRUPTED, verdictOf } from "./verdict.ts";
import type { Workload } from "./workload.ts";

/** What a run needs. */
export interface BenchInput {
  target: Target;
  /** `null`: the target is another server. */
  bundled: BundledServer | null;
  planned: readonly PlannedScenario[];
  tool: string;
  toolArgsJson: string;
  payloadBytes: number;
  workload: Workload;
  profile: string;
  seed: number;
  maxRatePerSecond: number | null;
  /** Calls per second; `null`: measure it. */
  unitBaselinePerSecond: number | null;
  thresholds: readonly Threshold[];
  /** An earlier report to compare with. */
  baseline: Report | null;
  noisePercent: number;
  force: boolean;
  strict: boolean;
  suite: Report["suite"];
  /** Without anything secret in it. */
  command: string[];
  clock: Clock;
  signal: AbortSignal;
  onWarning: (message: string) => void;
  onProgress: (progress: Progress) => void;
  /** Hears of the report so far after each scenario, marked as interrupted, so that a crash loses nothing. */
  onPartialReport: (report: Report) => Promise<void>;
}

/** What the report is put together from. */
interface Findings extends SuiteResult {
  preflight: Check[];
  unitBaseline: Report["unitBaseline"];
}

/**
 * Runs it all; whatever the server does, there is a report.
 *
 * @throws {IncomparableError} before anything is measured, if there is a baseline of another workload
 */
export async function runBench(input: BenchInput): Promise<Report> {
  const startedAt = input.clock.date().toISOString();
  refuseIncomparable(input, startedAt);
  const findings: Findings = {
    preflight: [],
    unitBaseline: null,
    scenarios: [],
    reasons: [],
    rateLimit: null,
  };
  await using floorGauge = new FloorGauge();
  try {
    const { checks, warnings } = await runPreflight(input.target, input.workload);
    findings.preflight = checks;
    warnings.forEach(input.onWarning);
    const suite = await runSuite({
      ...input,
      floorGauge,
      onScenario: (soFar) => {
        const unfinished = { code: EXIT.interrupted, scenario: null, message: "not finished" };
        const reasons = [...soFar.reasons, unfinished];
        return input.onPartialReport(
          assemble(input, startedAt, { ...findings, ...soFar, reasons }),
        );
      },
    });
    Object.assign(findings, suite);
    findings.unitBaseline = await unitBaseline(input);
  } catch (error) {
    findings.reasons.push(reasonOf(error, input.signal));
  }
  if (input.strict) findings.reasons.push(...invalidReasons(findings));
  return judge(input, assemble(input, startedAt, findings));
}

/**
 * Compares, before anything is measured, what is to be measured with what the baseline measured.
 *
 * @throws {IncomparableError} if they differ, unless forced
 */
function refuseIncomparable(input: BenchInput, startedAt: string): void {
  const { baseline, force, planned } = input;
  if (baseline === null || force) return;
  const scenarios = planned.map((one) =>
    notRun(one, { ...input, status: "interrupted", reason: "not begun" })
  );
  const nothing = { preflight: [], unitBaseline: null, reasons: [], rateLimit: null };
  const differences = findDifferences(
    baseline,
    assemble(input, startedAt, { ...nothing, scenarios }),
  );
  if (differences.length > 0) throw new IncomparableError(differences);
}

/** Holds a report against the bounds and the baseline of the user. */
function judge(input: BenchInput, report: Report): Report {
  const thresholds = input.thresholds.map((threshold) => evaluateThreshold(threshold, report));
  const missed = thresholds.filter(({ passed }) => !passed).map((
    { expression, observed, unit, reason },
  ) => ({
    code: EXIT.thresholdMissed,
    scenario: null,
    message: `threshold ${expression} missed: ${
      reason ?? `observed ${Number(observed?.toPrecision(6))} ${unit}`.trim()
    }`,
  }));
  const { baseline } = input;
  const comparison = baseline === null || report.verdict.status === "interrupted"
    ? {}
    : { comparison: compareReports(baseline, report, { ...input, force: true }) };
  const regressions = (comparison.comparison?.regressions ?? []).map((message) => ({
    code: EXIT.regression,
    scenario: null,
    message,
  }));
  const reasons = [...report.verdict.reasons, ...missed, ...regressions];
  return {
    ...report,
    ...comparison,
    ...(thresholds.length === 0 ? {} : { thresholds }),
    verdict: verdictOf(reasons),
  };
}

async function unitBaseline(input: BenchInput): Promise<Report["unitBaseline"]> {
  const { unitBaselinePerSecond: given, signal } = input;
  if (given !== null) return { source: "given", throughput: given };
  return signal.aborted ? null : await measureUnitBaseline();
}

/** Why the run ended before its scenarios. Errors of the suite's own are thrown on. */
function reasonOf(error: unknown, signal: AbortSignal): Reason {
  if (error instanceof TargetUnusableError) {
    return { code: EXIT.targetUnusable, scenario: null, message: error.message };
  }
  if (signal.aborted) return INTERRUPTED;
  throw error;
}

function invalidReasons({ scenarios }: Findings): Reason[] {
  return scenarios.filter(({ validity }) => !validity.valid).map(({ name, validity }) => ({
    code: EXIT.invalid,
    scenario: name,
    message: validity.warnings.join("; "),
  }));
}

function assemble(input: BenchInput, startedAt: string, findings: Findings): Report {
  const { target, suite, seed, command, profile, tool } = input;
  return {
    schemaVersion: 1,
    suite,
    startedAt,
    finishedAt: input.clock.date().toISOString(),
    seed,
    command,
    environment: readEnvironment(),
    target: {
      url: redactUrl(target.options.url),
      kind: input.bundled === null ? "external" : "embedded",
      protocol: target.options.protocol.name,
      tool,
    },
    profile,
    verdict: verdictOf(findings.reasons),
    preflight: findings.preflight,
    rateLimit: findings.rateLimit,
    unitBaseline: findings.unitBaseline,
    scenarios: findings.scenarios,
  };
}
