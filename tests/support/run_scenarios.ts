import type { Check, Ledger, Metric, ProtocolName, ScenarioReport } from "../../lib/schema.ts";
import { Target, type TargetOptions } from "../../lib/client/target.ts";
import type { FloorGauge } from "../../lib/run/client_floor.ts";
import type { LiveScenario } from "../../lib/run/live.ts";
import { type PlannedScenario, runSuite, type SuiteResult } from "../../lib/run/runner.ts";
import { grantHeavyTools, type HeavyTools } from "../../lib/run/heavy_tools.ts";
import {
  type BundledServer,
  defaultsOf,
  type Parameters,
  type Scenario,
} from "../../lib/run/scenario.ts";
import type { Workload } from "../../lib/run/workload.ts";
import {
  defaultServerOptions,
  limitsPreset,
  type ServerOptionOverrides,
} from "../../lib/server/options.ts";
import { type RunningServer, startServer } from "../../lib/server/serve.ts";
import type { ServerStats } from "../../lib/server/counters.ts";
import { STATUS, targetAt, TOKEN } from "./targets.ts";

/** A scenario of whatever parameters, as the list of all has it. */
// deno-lint-ignore no-explicit-any
type AnyScenario = Scenario<any>;

/** The heavy tools that a run is granted without a file: those of the bundled server, which knows EXAI. */
function grantedTo(protocol: ProtocolName): HeavyTools {
  const embedded = protocol === "exai";
  return grantHeavyTools({ embedded, protocol, named: true, given: null, uniqueSeed: 1 });
}

/** How scenarios are run in a test. */
export interface RunOptions extends Partial<TargetOptions> {
  workload?: Workload;
  bundled?: BundledServer | null;
  maxRatePerSecond?: number | null;
  /** What floors are measured with; none are without it. */
  floorGauge?: FloorGauge;
  onProgress?: (scenario: string, done: number, watch: LiveScenario) => void;
  /** Left out: those that a run is granted without a file. */
  heavyTools?: HeavyTools;
  onScenario?: (soFar: SuiteResult) => void;
}

/** Runs scenarios with these parameters over their quick ones, as a run does, on a target at the address. */
export async function runScenarios(
  planned: readonly [AnyScenario, Partial<Parameters>][],
  { url, ...options }: RunOptions & { url: string },
): Promise<SuiteResult> {
  const {
    workload = () => STATUS,
    bundled = null,
    maxRatePerSecond = null,
    floorGauge,
    heavyTools,
    ...rest
  } = options;
  using target: Target = targetAt(url, rest);
  const { clock, signal } = target.options;
  return await runSuite({
    target,
    workload,
    bundled,
    heavyTools: heavyTools ?? grantedTo(target.options.protocol.name),
    clock,
    signal,
    seed: 1,
    maxRatePerSecond,
    ...(floorGauge === undefined ? {} : { floorGauge }),
    toolArgsJson: "{}",
    payloadBytes: 0,
    planned: planned.map(([scenario, parameters]): PlannedScenario => ({
      scenario,
      parameters: { ...defaultsOf(scenario, "quick"), ...parameters },
    })),
    onProgress: (progress) => {
      if (progress.state === "ended") return;
      rest.onProgress?.(progress.scenario, progress.done, progress.watch);
    },
    onScenario: (soFar) => Promise.resolve(rest.onScenario?.(structuredClone(soFar))),
  });
}

/** Runs one scenario and returns its report. */
export async function runScenario(
  scenario: AnyScenario,
  parameters: Partial<Parameters>,
  options: RunOptions & { url: string },
): Promise<ScenarioReport> {
  const { scenarios } = await runScenarios([[scenario, parameters]], options);
  return scenarios[0]!;
}

/** The same, told by the address first: parameters over the quick ones, and options of the target. */
export function runScenarioAt<P extends Parameters>(
  url: string,
  scenario: Scenario<P>,
  { parameters = {}, target = {}, onProgress }: {
    parameters?: Partial<P>;
    target?: Partial<TargetOptions>;
    /** Hears of the beginning of each round. */
    onProgress?: (done: number) => void;
  } = {},
): Promise<ScenarioReport> {
  return runScenario(scenario, parameters, {
    ...target,
    url,
    onProgress: (_scenario, done) => onProgress?.(done),
  });
}

/**
 * The reference server on this thread, with the token that {@link targetAt} has. Without rate limits,
 * but for those that are given.
 */
export function startReference(
  { limits = "off", ...overrides }: ServerOptionOverrides = {},
): Promise<RunningServer> {
  const all = typeof limits === "string" ? limits : { ...limitsPreset("off"), ...limits };
  return startServer(defaultServerOptions({ token: TOKEN, limits: all, ...overrides }));
}

/** The names of the checks that failed. */
export function failedChecks({ checks }: ScenarioReport): string[] {
  return checks.filter(({ passed }) => !passed).map(({ name }) => name);
}

/**
 * The check of that name.
 *
 * @throws {Error} if there is none
 */
export function checkNamed({ checks }: ScenarioReport, name: string): Check {
  const found = checks.find((check) => check.name === name);
  if (found === undefined) {
    throw new Error(`No check "${name}" among: ${checks.map((check) => check.name).join(", ")}`);
  }
  return found;
}

/**
 * The metric of that name.
 *
 * @throws {Error} if there is none
 */
export function metricNamed<K extends Metric["kind"]>(
  { metrics }: ScenarioReport,
  name: string,
  kind: K,
): Extract<Metric, { kind: K }> {
  const found = metrics.find((metric) => metric.name === name && metric.kind === kind);
  if (found === undefined) {
    throw new Error(`No ${kind} "${name}" among: ${metrics.map((one) => one.name).join(", ")}`);
  }
  return found as Extract<Metric, { kind: K }>;
}

/** What a server should have counted of calls that these ledgers hold, as {@link countedCalls} has it. */
export function expectedCalls(ledgers: readonly Ledger[]) {
  const total = (pick: (ledger: Ledger) => number) =>
    ledgers.reduce((sum, ledger) => sum + pick(ledger), 0);
  return {
    received: total(({ sent }) => sent),
    served: total(({ ok }) => ok),
    fromCache: total(({ cached }) => cached),
    failed: total(({ toolError }) => toolError),
    refused: total(({ rateLimited }) => rateLimited),
    unanswered: total(({ timeout }) => timeout),
  };
}

/** What a server counted of its calls. */
export function countedCalls(stats: ServerStats): ReturnType<typeof expectedCalls> {
  return {
    received: stats.callsReceived,
    served: stats.callsServed,
    fromCache: stats.callsFromCache,
    failed: stats.callsFailed,
    refused: stats.callsRefused,
    unanswered: stats.callsUnanswered,
  };
}
