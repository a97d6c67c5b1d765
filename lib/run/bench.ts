/**
 * One benchmark run: preflight, scenarios, in-process baseline, and the report of it all.
 *
 * @module
 */

import type { Check, ClockOffset, Reason, Report, Shard, ShardPlace } from "../schema.ts";
import type { Clock } from "../client/clock.ts";
import type { Target } from "../client/target.ts";
import { redactUrl } from "../client/redact_url.ts";
import { FloorGauge } from "./client_floor.ts";
import { readEnvironment } from "./environment.ts";
import { type JudgeOptions, judgeReport } from "./judge_report.ts";
import { runPreflight } from "./preflight.ts";
import { LATE_START_MS, type StartGate, startOffsetMs } from "./round_times.ts";
import {
  notRun,
  type PlannedScenario,
  type Progress,
  runSuite,
  type SuiteResult,
} from "./runner.ts";
import { findDifferences, IncomparableError } from "../stats/comparability.ts";
import { type BundledServer, TargetUnusableError } from "./scenario.ts";
import { measureUnitBaseline } from "./unit_baseline.ts";
import { EXIT, INTERRUPTED, verdictOf } from "./verdict.ts";
import type { HeavyTools } from "./heavy_tools.ts";
import type { Workload } from "./workload.ts";

/** What a run needs. */
export interface BenchInput extends JudgeOptions {
  target: Target;
  /** `null`: the target is another server. */
  bundled: BundledServer | null;
  planned: readonly PlannedScenario[];
  tool: string;
  toolArgsJson: string;
  payloadBytes: number;
  workload: Workload;
  heavyTools: HeavyTools;
  profile: string;
  seed: number;
  maxRatePerSecond: number | null;
  /** Calls per second; `null`: measure it. */
  unitBaselinePerSecond: number | null;
  /** Which share of the run this is; `null`: it is not split. */
  shard: ShardPlace | null;
  /** How many event loops measure in this process; left out: 1. */
  loops?: number;
  /** When all shards are to begin, in unix milliseconds; `null`: nothing was planned. */
  startAtMs: number | null;
  /** Says when split scenarios begin; left out: when they are ready. */
  startGate?: StartGate;
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
  clockOffset: ClockOffset | null;
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
    clockOffset: null,
    unitBaseline: null,
    scenarios: [],
    reasons: [],
    rateLimit: null,
  };
  await using floorGauge = new FloorGauge();
  try {
    const { checks, warnings, clockOffset } = await runPreflight(input.target, input.workload);
    findings.preflight = checks;
    findings.clockOffset = clockOffset;
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
  return judgeReport(assemble(input, startedAt, findings), input);
}

/**
 * Compares, before anything is measured, what is to be measured with what the baseline measured.
 *
 * @throws {IncomparableError} if they differ, unless forced
 */
export function refuseIncomparable(
  input: BenchInput,
  startedAt: string = input.clock.date().toISOString(),
): void {
  const { baseline, force, planned } = input;
  if (baseline === null || force) return;
  const scenarios = planned.map((one) =>
    notRun(one, { ...input, status: "interrupted", reason: "not begun" })
  );
  const nothing = {
    ...{ preflight: [], clockOffset: null, unitBaseline: null, reasons: [], rateLimit: null },
  };
  const differences = findDifferences(
    baseline,
    assemble(input, startedAt, { ...nothing, scenarios }),
  );
  if (differences.length > 0) throw new IncomparableError(differences);
}

async function unitBaseline(input: BenchInput): Promise<Report["unitBaseline"]> {
  const { unitBaselinePerSecond: given, signal, shard } = input;
  if (given !== null) return { source: "given", throughput: given };
  // Once for a run, and not while other shards measure.
  if (shard !== null && shard.index > 1) return null;
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
    ...(input.shard === null ? {} : { shard: describeShard(input.shard, { input, findings }) }),
    scenarios: findings.scenarios,
  };
}

/** The share, and when the first of the split scenarios began. */
function describeShard(
  place: ShardPlace,
  { input, findings }: { input: BenchInput; findings: Findings },
): Shard {
  const offsets = findings.scenarios.flatMap(({ measured }) =>
    (measured === undefined ? null : startOffsetMs(measured)) ?? []
  );
  return {
    ...place,
    startAtMs: input.startAtMs,
    startOffsetMs: offsets[0] ?? null,
    late: offsets.some((offsetMs) => offsetMs > LATE_START_MS),
    clock: findings.clockOffset,
  };
}
