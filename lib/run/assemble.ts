import { redactUrl } from "../client/redact_url.ts";
import type { Check, ClockOffset, Reason, Report, Shard, ShardPlace } from "../schema.ts";
import { estimate } from "../stats/estimate.ts";
import { readCpuPressureNs, readEnvironment } from "./environment.ts";
import { runPreflight } from "./preflight.ts";
import type { Run } from "./run.ts";
import { TargetUnusableError } from "./scenario.ts";
import { LATE_START_MS, startOffsetMs } from "./start_times.ts";
import type { SuiteResult } from "./suite.ts";
import { EXIT, INTERRUPTED, verdictOf } from "./verdict.ts";

/** What the report is put together from. */
export interface Findings extends SuiteResult {
  preflight: Check[];
  clockOffset: ClockOffset | null;
  transcript: Report["transcript"];
}

/** Of a run that has not begun. */
export const NOTHING: Findings = {
  preflight: [],
  clockOffset: null,
  transcript: undefined,
  scenarios: [],
  reasons: [],
  rateLimit: null,
  unitEpochs: [],
  epochs: 0,
};

/** What was true when the run began. */
export interface Begun {
  startedAt: string;
  startNs: number;
  pressureNs: number | null;
}

/** To be called when a run begins. */
export function beginReport({ clock }: Run): Begun {
  return {
    startedAt: clock.date().toISOString(),
    startNs: clock.nowNs(),
    pressureNs: readCpuPressureNs(),
  };
}

/**
 * Why a run ended before its scenarios.
 *
 * @throws the error itself, if it is one of the suite's own
 */
export function reasonOf(error: unknown, signal: AbortSignal): Reason {
  if (error instanceof TargetUnusableError) {
    const { message } = error;
    return { code: EXIT.targetUnusable, kind: "targetUnusable", scenario: null, message };
  }
  if (signal.aborted) return INTERRUPTED;
  throw error;
}

/** Says of a report that it is not the last. */
export const NOT_FINISHED: Reason = { ...INTERRUPTED, message: "not finished" };

/**
 * Looks at the server before anything is measured.
 *
 * @returns warnings
 * @throws what the preflight throws
 */
export async function lookAt(run: Run, findings: Findings): Promise<string[]> {
  const { warnings, checks: preflight, ...rest } = await runPreflight(run.target, run.workload);
  Object.assign(findings, { preflight, ...rest });
  return warnings;
}

/** The report so far, before it is held against bounds and baselines. */
export function assemble(run: Run, begun: Begun, findings: Findings): Report {
  const { target, settings, tool } = run;
  const { suite, seed, command, profile, shard } = settings;
  const { proxy, insecure, uniqueArguments, uniqueSeed, toolArgsJson } = settings;
  const { epochs, preflight, rateLimit, drift, transcript, scenarios } = findings;
  return {
    schemaVersion: 2,
    suite,
    startedAt: begun.startedAt,
    finishedAt: run.clock.date().toISOString(),
    seed,
    command,
    environment: {
      ...readEnvironment(),
      cpuPressure: pressureSince(run, begun),
      ...(toolArgsJson.includes("{unique}") ? { uniqueSeed } : {}),
    },
    target: {
      url: redactUrl(target.options.url),
      kind: run.bundled === null ? "external" : "embedded",
      protocol: target.options.protocol.name,
      tool,
      noDelay: target.hasRelay && target.relays(),
      ...(proxy ? { proxy } : {}),
      ...(insecure ? { insecure } : {}),
      ...(uniqueArguments === undefined ? {} : { uniqueArguments }),
    },
    profile,
    epochs,
    verdict: verdictOf(findings.reasons),
    preflight,
    rateLimit,
    ...(drift === undefined ? {} : { drift }),
    unitBaseline: unitBaseline(run, findings),
    ...(transcript === undefined ? {} : { transcript }),
    ...(shard === null ? {} : { shard: describeShard(shard, run, findings) }),
    scenarios,
  };
}

/** The share of the time since, in which something waited for a core. */
function pressureSince({ clock }: Run, { startNs, pressureNs }: Begun): number | null {
  const nowNs = readCpuPressureNs();
  const elapsedNs = clock.nowNs() - startNs;
  if (nowNs === null || pressureNs === null || elapsedNs <= 0) return null;
  return Math.min(1, (nowNs - pressureNs) / elapsedNs);
}

/** What a unit test's call costs: the user's own figure, or that of the dispatch in every epoch. */
function unitBaseline(
  { settings: { unitBaselinePerSecond: given } }: Run,
  { unitEpochs }: Findings,
): Report["unitBaseline"] {
  if (given !== null) return { source: "given", throughput: given, ci95: null, epochs: [] };
  if (unitEpochs.length === 0) return null;
  const epochs = unitEpochs.map((ns) => 1e9 / ns);
  const { value, ci95 } = estimate(epochs);
  return { source: "measured", throughput: value, ci95, epochs };
}

/** The share, and when the first of the split scenarios began. */
function describeShard(
  place: ShardPlace,
  { settings: { startAtMs } }: Run,
  { scenarios, clockOffset: clock }: Findings,
): Shard {
  const offsets = scenarios.flatMap(({ measured }) => (measured && startOffsetMs(measured)) ?? []);
  const late = offsets.some((offsetMs) => offsetMs > LATE_START_MS);
  return { ...place, startAtMs, startOffsetMs: offsets[0] ?? null, late, clock };
}
