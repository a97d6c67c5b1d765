/**
 * Runs the scenarios one after the other, and ends with a whole account whatever happens.
 *
 * @module
 */

import type { RateLimit, Reason, ScenarioReport, ShardPlace } from "../schema.ts";
import { shareOf } from "../load/share.ts";
import { openLedger, settleLedger } from "../client/ledger.ts";
import { type ContextInput, RecordingContext } from "./context.ts";
import type { LiveScenario } from "./live.ts";
import { describeHeavyTools } from "./heavy_tools.ts";
import type { StartGate } from "./round_times.ts";
import { type Parameters, type Scenario, TargetUnusableError } from "./scenario.ts";
import { EXIT, failedCheckReasons, INTERRUPTED } from "./verdict.ts";

/** A scenario with the parameters that it is to run with. */
export interface PlannedScenario {
  scenario: Scenario;
  /** Of the whole, where this is a share of it. */
  parameters: Parameters;
  /** Which share of it to run; left out: all of it. */
  place?: ShardPlace;
  /** Why not to run it; left out: it runs. */
  skip?: string;
}

/** Where in a run a scenario stands. */
interface Place {
  scenario: string;
  /** Its place in the run, from 1, and how many there are. */
  index: number;
  scenarios: number;
}

/** How far a run is. */
export type Progress =
  & Place
  & (
    | { state: "running"; done: number; total: number; watch: LiveScenario }
    | { state: "ended"; status: ScenarioReport["status"]; durationMs: number }
  );

/** What every scenario's report says of the run. */
type ScenarioInput = Pick<
  SuiteInput,
  "clock" | "heavyTools" | "maxRatePerSecond" | "toolArgsJson" | "payloadBytes"
>;

/** What a run needs. */
export interface SuiteInput extends
  Omit<
    ContextInput<Parameters>,
    "parameters" | "metrics" | "overloads" | "onProgress" | "place" | "startOf"
  > {
  planned: readonly PlannedScenario[];
  /** The arguments of the calls, as they were given. */
  toolArgsJson: string;
  /** The size of the argument that was added to every call; 0: none was. */
  payloadBytes: number;
  /** Says when split scenarios begin; left out: when they are ready. */
  startGate?: StartGate;
  onProgress: (progress: Progress) => void;
  /** Hears of each scenario as soon as it has ended, with all so far. */
  onScenario: (soFar: SuiteResult) => Promise<void>;
}

/** What a run found. */
export interface SuiteResult {
  scenarios: ScenarioReport[];
  reasons: Reason[];
  rateLimit: RateLimit | null;
}

/** Runs all planned scenarios, or those before the target proves unusable or the run is interrupted. */
export async function runSuite(input: SuiteInput): Promise<SuiteResult> {
  const result: SuiteResult = { scenarios: [], reasons: [], rateLimit: null };
  for (const [index, planned] of input.planned.entries()) {
    if (input.signal.aborted) {
      const reason = "not begun: the run was interrupted before";
      result.scenarios.push(notRun(planned, { ...input, status: "interrupted", reason }));
      continue;
    }
    const { report, reasons } = planned.skip === undefined
      ? await runScenario(planned, { input, index })
      : {
        report: notRun(planned, { ...input, status: "skipped", reason: planned.skip }),
        reasons: [],
      };
    result.scenarios.push(report);
    result.reasons.push(...reasons);
    const limit = input.target.observed.rateLimit;
    if (limit !== null) result.rateLimit ??= { scenario: report.name, ...limit };
    await input.onScenario(result);
    if (reasons.some(({ code }) => code === EXIT.targetUnusable)) break;
  }
  if (input.signal.aborted) {
    result.reasons.push(INTERRUPTED);
  }
  return result;
}

async function runScenario(
  { scenario, parameters, place }: PlannedScenario,
  { input, index }: { input: SuiteInput; index: number },
): Promise<{ report: ScenarioReport; reasons: Reason[] }> {
  const startNs = input.clock.nowNs();
  const startedAt = input.clock.date().toISOString();
  const progress = { scenario: scenario.name, index: index + 1, scenarios: input.planned.length };
  using context = new RecordingContext({
    ...input,
    parameters,
    metrics: scenario.metrics,
    overloads: scenario.overloads ?? false,
    ...(place === undefined ? {} : { place }),
    startOf: () =>
      scenario.sharding === undefined || input.startGate === undefined
        ? Promise.resolve(null)
        : input.startGate.startOf(scenario.name),
    onProgress: (done, total) =>
      input.onProgress({ ...progress, state: "running", done, total, watch: context }),
  });
  context.progress(0, parameters.rounds);
  const { end, reason, unusable } = await attempt(scenario, context);
  const figures = context.figures();
  const failed = figures.checks.some(({ passed }) => !passed);
  const report: ScenarioReport = {
    name: scenario.name,
    question: scenario.question,
    status: end === "measured" ? (failed ? "failed" : "passed") : end,
    reason,
    startedAt,
    durationMs: (input.clock.nowNs() - startNs) / 1e6,
    parameters: reportedParameters({ scenario, parameters }, input),
    ...(scenario.overloads ? { overloads: true } : {}),
    ...figures,
    ...reportedShare(parameters, place),
  };
  const { status, durationMs } = report;
  input.onProgress({ ...progress, state: "ended", status, durationMs });
  return { report, reasons: reasonsOf(report, unusable) };
}

/**
 * All that the workload depends on, so that runs of different ones are not compared. A scenario that has sizes
 * of its own says which.
 */
function reportedParameters(
  { scenario, parameters }: PlannedScenario,
  { heavyTools, maxRatePerSecond, toolArgsJson, payloadBytes }: ScenarioInput,
): ScenarioReport["parameters"] {
  return {
    payloadBytes,
    ...parameters,
    ...(scenario.heavyCalls === undefined ? {} : { heavyTools: describeHeavyTools(heavyTools) }),
    maxRatePerSecond,
    toolArgs: toolArgsJson,
  };
}

/** What of it a shard has run; nothing of a scenario that was run whole. */
function reportedShare(
  { connections }: Parameters,
  place: ShardPlace | undefined,
): Pick<ScenarioReport, "share"> {
  return place === undefined || place.count === 1 || typeof connections !== "number"
    ? {}
    : { share: { connections: shareOf(connections, place), of: connections } };
}

interface Attempt {
  end: "measured" | "failed" | "skipped" | "interrupted";
  reason: string | null;
  /** Whether the whole run should end. */
  unusable: boolean;
}

async function attempt(scenario: Scenario, context: RecordingContext): Promise<Attempt> {
  try {
    const outcome = await scenario.run(context);
    if (context.signal.aborted) {
      return { end: "interrupted", reason: "interrupted", unusable: false };
    }
    return outcome.status === "skipped"
      ? { end: "skipped", reason: outcome.reason, unusable: false }
      : { end: "measured", reason: null, unusable: false };
  } catch (error) {
    if (context.signal.aborted) {
      return { end: "interrupted", reason: "interrupted", unusable: false };
    }
    const reason = error instanceof Error ? error.message : String(error);
    return { end: "failed", reason, unusable: error instanceof TargetUnusableError };
  }
}

/** What a scenario's report says against the run. */
function reasonsOf(report: ScenarioReport, unusable: boolean): Reason[] {
  const scenario = report.name;
  if (unusable) {
    return [{ code: EXIT.targetUnusable, scenario, message: report.reason ?? "unusable" }];
  }
  const failed = failedCheckReasons(report);
  if (report.status !== "failed" || report.reason === null) return failed;
  return [{ code: EXIT.checkFailed, scenario, message: report.reason }, ...failed];
}

/** The place in the report of a scenario that was not run, for the reason given. */
export function notRun(
  { scenario, parameters }: PlannedScenario,
  input: ScenarioInput & { status: "interrupted" | "skipped"; reason: string },
): ScenarioReport {
  return {
    name: scenario.name,
    question: scenario.question,
    status: input.status,
    reason: input.reason,
    startedAt: input.clock.date().toISOString(),
    durationMs: 0,
    parameters: reportedParameters({ scenario, parameters }, input),
    checks: [],
    notMeasured: [],
    warmupLedger: settleLedger(openLedger(), false),
    ledger: settleLedger(openLedger(), false),
    metrics: [],
    validity: { valid: true, clientCpu: null, loopLagP99Ns: null, warnings: [] },
  };
}
