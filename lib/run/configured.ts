/**
 * A run from its settings alone, which can be handed to a worker as they are.
 *
 * @module
 */

import type { ProtocolName, Report, ShardPlace } from "../schema.ts";
import { WHOLE } from "../load/share.ts";
import { Target } from "../client/target.ts";
import { PROTOCOLS } from "../protocols/mod.ts";
import { type BenchInput, refuseIncomparable, runBench } from "./bench.ts";
import { systemClock } from "../client/clock.ts";
import { grantHeavyTools, type HeavyTools, type HeavyToolSpec } from "./heavy_tools.ts";
import type { JudgeOptions } from "./judge_report.ts";
import { type Overrides, planScenarios, planShard } from "./plan.ts";
import type { StartGate } from "./round_times.ts";
import type { ProfileName, Scenario } from "./scenario.ts";
import { plannedStarts } from "./start_times.ts";
import { createWorkload } from "./workload.ts";

/** What a run is told: data that can be sent to a worker. */
export interface RunSettings extends JudgeOptions {
  url: string;
  token: string | null;
  protocol: ProtocolName;
  headers: Record<string, string>;
  subprotocols: readonly string[];
  caCert: string | null;
  timeoutMs: number;
  /** `null`: the protocol's own. */
  tool: string | null;
  toolArgsJson: string;
  /** `null`: those of the profile. */
  scenarios: readonly string[] | null;
  profile: ProfileName;
  overrides: Overrides;
  /** The tools of `--heavy-tools`; `null`: no such file. */
  heavyTools: readonly HeavyToolSpec[] | null;
  maxRatePerSecond: number | null;
  seed: number;
  /** For `{unique}`. */
  uniqueSeed: number;
  unitBaselinePerSecond: number | null;
  /** Which share of the run to take; `null`: it is not split. */
  shard: ShardPlace | null;
  /** How many event loops measure in this process; left out: 1. */
  loops?: number;
  /** When all shards begin, in unix milliseconds; `null`: when they are ready. */
  startAtMs: number | null;
  suite: Report["suite"];
  /** Without anything secret in it. */
  command: string[];
}

/** What a run tells while it runs, and what ends it. */
export interface RunHooks
  extends Pick<BenchInput, "bundled" | "signal" | "onWarning" | "onProgress" | "onPartialReport"> {
  /** In place of `startAtMs`. */
  startGate?: StartGate;
}

/**
 * Runs what the settings say; whatever the server does, there is a report.
 *
 * @throws {IncomparableError} before anything is measured, if there is a baseline of another workload
 */
export async function runConfigured(
  settings: RunSettings,
  { scenarios, ...hooks }: RunHooks & { scenarios: readonly Scenario[] },
): Promise<Report> {
  using target = createTarget(settings, hooks.signal);
  return await runBench(benchInput(settings, { scenarios, target, hooks }));
}

/**
 * Holds what is to be measured against the baseline, for a run that is split among workers.
 *
 * @throws {IncomparableError} if they differ, unless forced
 */
export function refuseOtherBaseline(
  settings: RunSettings,
  { scenarios, ...hooks }: RunHooks & { scenarios: readonly Scenario[] },
): void {
  using target = createTarget(settings, hooks.signal);
  refuseIncomparable(benchInput(settings, { scenarios, target, hooks }));
}

/** The heavy tools that such a run may call. */
export function heavyToolsOf(
  settings: Pick<
    RunSettings,
    "scenarios" | "profile" | "heavyTools" | "protocol" | "uniqueSeed"
  >,
  { embedded }: { embedded: boolean },
): HeavyTools {
  return grantHeavyTools({
    ...settings,
    embedded,
    named: settings.scenarios !== null || settings.profile === "phase3",
    given: settings.heavyTools,
  });
}

function createTarget({ shard, ...settings }: RunSettings, signal: AbortSignal): Target {
  return new Target({
    ...settings,
    protocol: PROTOCOLS[settings.protocol],
    clock: systemClock,
    signal,
    ...(shard === null || shard.count === 1 ? {} : { shard }),
  });
}

function benchInput(
  settings: RunSettings,
  { scenarios, target, hooks }: {
    scenarios: readonly Scenario[];
    target: Target;
    hooks: RunHooks;
  },
): BenchInput {
  const place = settings.shard ?? WHOLE;
  const planned = planShard(
    planScenarios(scenarios, { ...settings, names: settings.scenarios }),
    place,
  );
  const tool = settings.tool ?? PROTOCOLS[settings.protocol].defaultTool;
  const payloadBytes = settings.overrides.payloadBytes ?? 0;
  return {
    ...settings,
    ...hooks,
    ...startGate(settings, { planned, hooks }),
    target,
    planned,
    tool,
    payloadBytes,
    heavyTools: heavyToolsOf(settings, { embedded: hooks.bundled !== null }),
    workload: createWorkload(tool, {
      ...settings,
      argsJson: settings.toolArgsJson,
      payloadBytes,
      place,
    }),
    clock: systemClock,
  };
}

function startGate(
  { startAtMs }: RunSettings,
  { planned, hooks }: { planned: Parameters<typeof plannedStarts>[0]; hooks: RunHooks },
): { startGate?: StartGate } {
  if (hooks.startGate !== undefined) return { startGate: hooks.startGate };
  return startAtMs === null ? {} : { startGate: plannedStarts(planned, startAtMs) };
}
