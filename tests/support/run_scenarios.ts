import type { At, Check, Ledger, Metric, ScenarioReport } from "../../lib/schema.ts";
import { Target, type TargetOptions } from "../../lib/client/target.ts";
import { type Pacer, startPacer } from "../../lib/load/pacer.ts";
import { WHOLE } from "../../lib/load/share.ts";
import { grantHeavyTools, type HeavyTools } from "../../lib/run/heavy_tools.ts";
import { type Overrides, type PlannedScenario, planShard } from "../../lib/run/plan.ts";
import type { Progress } from "../../lib/run/progress.ts";
import type { Run } from "../../lib/run/run.ts";
import {
  type BundledServer,
  defaultsOf,
  type Parameters,
  type Scenario,
} from "../../lib/run/scenario.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import type { StartGate } from "../../lib/run/start_times.ts";
import { createSessionWork } from "../../lib/run/session_work.ts";
import { runSuite, type SuiteResult } from "../../lib/run/suite.ts";
import type { Workload } from "../../lib/run/workload.ts";
import {
  defaultServerOptions,
  limitsPreset,
  type ServerOptionOverrides,
} from "../../lib/server/options.ts";
import { type NullServer, startNullServer } from "../../lib/server/null_server.ts";
import { type RunningServer, startServer } from "../../lib/server/serve.ts";
import type { ServerStats } from "../../lib/server/counters.ts";
import { STATUS, targetAt, TOKEN } from "./targets.ts";

export const NO_OVERRIDES: Overrides = {
  durationMs: null,
  warmupMs: null,
  messages: null,
  connections: null,
  payloadBytes: null,
  inFlight: null,
  ratePerSecond: null,
  arrivals: null,
  maxOutstanding: null,
  sloMs: null,
  stages: null,
  spikeFactor: null,
  expectLimits: null,
};

/** Settings of a run in a test. */
export function settingsAt(url: string, given: Partial<RunSettings> = {}): RunSettings {
  return {
    url,
    token: TOKEN,
    protocol: "exai",
    headers: {},
    subprotocols: [],
    caCert: null,
    timeoutMs: 10_000,
    tool: null,
    toolArgsJson: "{}",
    scenarios: null,
    profile: "quick",
    epochs: null,
    precisionPercent: null,
    maxTimeMs: 60_000,
    overrides: NO_OVERRIDES,
    heavyTools: null,
    workload: null,
    maxRatePerSecond: null,
    seed: 1,
    uniqueSeed: 1,
    unitBaselinePerSecond: null,
    shard: null,
    startAtMs: null,
    suite: { name: "test", version: "0.0.0", commit: null },
    command: ["test"],
    thresholds: [],
    baselines: [],
    noisePercent: null,
    bandPercent: 3,
    force: false,
    strict: false,
    ...given,
  };
}

export interface RunOptions extends Partial<TargetOptions> {
  /** Epochs after the warm-up. Default: 3. */
  epochs?: number;
  /** True to skip the warm-up epoch. */
  cold?: boolean;
  workload?: Workload;
  bundled?: BundledServer | null;
  settings?: Partial<RunSettings>;
  maxRatePerSecond?: number | null;
  onProgress?: (progress: Progress & { state: "running" }) => void;
  /** Default: those of a run without a file for them. */
  heavyTools?: HeavyTools;
  /** Default: 0, so that a slice makes exactly the calls that were asked for. */
  leadInMs?: number;
  startFloor?: () => Promise<NullServer>;
  onEpoch?: (soFar: SuiteResult) => void;
  startGate?: StartGate;
  /** Default: one in a worker thread. */
  pacer?: Pacer;
}

/** Runs scenarios against `url`; their parameters override those of the quick profile. */
export async function runScenarios(
  planned: readonly (readonly [Scenario, Parameters])[],
  { url, ...options }: RunOptions & { url: string },
): Promise<SuiteResult> {
  await using run = createTestRun(
    planned.map(([scenario, parameters]): PlannedScenario => ({
      scenario,
      parameters: { ...defaultsOf(scenario, "quick"), ...parameters },
    })),
    { url, ...options },
  );
  return await runSuite(run, {
    onEpoch: (soFar) => Promise.resolve(options.onEpoch?.(structuredClone(soFar))),
  });
}

/** A run of scenarios without files and a command line. */
export function createTestRun(
  planned: readonly PlannedScenario[],
  { url, ...options }: RunOptions & { url: string },
): Run {
  const {
    epochs = 3,
    cold = false,
    workload = () => STATUS,
    bundled = null,
    settings = {},
    maxRatePerSecond = null,
    heavyTools,
    leadInMs = 0,
    startFloor = startNullServer,
    onProgress,
    startGate,
    onEpoch: _,
    pacer: given,
    ...reach
  } = options;
  const target: Target = targetAt(url, reach);
  const { clock, signal } = target.options;
  const overrides = { ...NO_OVERRIDES, ...(cold ? { warmupMs: 0 } : {}), ...settings.overrides };
  const place = settings.shard ?? WHOLE;
  let pacer = given === undefined ? null : Promise.resolve(given);
  const all = settingsAt(url, { maxRatePerSecond, epochs, ...settings, overrides });
  const protocol = target.options.protocol.name;
  const granted = heavyTools ??
    grantHeavyTools({ ...all, protocol }, { embedded: protocol === "exai" });
  return {
    settings: all,
    target,
    tool: "status",
    workload,
    bundled,
    heavyTools: granted,
    sessionWork: createSessionWork(all, {
      ...{ tool: "status", workload, place, bundled, heavyTools: granted },
    }),
    planned: planShard(planned, place),
    epochs,
    place,
    ...(startGate === undefined ? {} : { startGate }),
    leadInMs,
    startFloor,
    clock,
    signal,
    pacer: () => pacer ??= startPacer(),
    onWarning: () => {},
    onProgress: (progress) => {
      if (progress.state === "running") onProgress?.(progress);
    },
    onPartialReport: () => Promise.resolve(),
    async [Symbol.asyncDispose]() {
      target[Symbol.dispose]();
      (await pacer)?.[Symbol.dispose]();
    },
  };
}

/** Runs one scenario and returns its report. */
export async function runScenario(
  scenario: Scenario,
  parameters: Parameters,
  options: RunOptions & { url: string },
): Promise<ScenarioReport> {
  const { scenarios } = await runScenarios([[scenario, parameters]], options);
  return scenarios[0]!;
}

/**
 * Starts the reference server on this thread, with the token of {@link targetAt} and no rate limits
 * except those given.
 */
export function startReference(
  { limits = "off", ...overrides }: ServerOptionOverrides = {},
): Promise<RunningServer> {
  const all = typeof limits === "string" ? limits : { ...limitsPreset("off"), ...limits };
  return startServer(defaultServerOptions({ token: TOKEN, limits: all, ...overrides }));
}

/** The names of the failed checks. */
export function failedChecks({ checks }: ScenarioReport): string[] {
  return checks.filter(({ passed }) => !passed).map(({ name }) => name);
}

/**
 * The check with this name.
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
 * The metric with this name and kind, at a place that has all the coordinates in `at`.
 *
 * @throws {Error} if there is none
 */
export function metricNamed<K extends Metric["kind"]>(
  { metrics }: ScenarioReport,
  name: string,
  kind: K,
  at: At = {},
): Extract<Metric, { kind: K }> {
  const found = metrics.find((metric) =>
    metric.name === name && metric.kind === kind &&
    Object.entries(at).every(([key, value]) => metric.at?.[key] === value)
  );
  if (found === undefined) {
    const known = metrics.map((one) => `${one.name} ${JSON.stringify(one.at ?? {})}`);
    throw new Error(`No ${kind} "${name}" ${JSON.stringify(at)} among: ${known.join(", ")}`);
  }
  return found as Extract<Metric, { kind: K }>;
}

/** The {@link countedCalls} that a server should have for the calls in these ledgers. */
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

/** The calls that a server counted. */
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
