/**
 * Holds what is planned against what was asked for, before anything is started.
 *
 * @module
 */

import { type Overrides, plannedHeavyCalls, type PlannedScenario } from "../run/plan.ts";
import { epochsOf, heavyToolsOf } from "../run/run.ts";
import { defaultsOf, type Scenario } from "../run/scenario.ts";
import { countWorkers } from "../split/worker_count.ts";
import type { Config } from "./config.ts";
import { UsageError } from "./usage_error.ts";

/**
 * How many calls of heavy tools there will be, for the person to see before they are made; `null`: none.
 *
 * @throws {UsageError} if they are more than allowed
 */
export function announceHeavyCalls(
  config: Config,
  planned: readonly PlannedScenario[],
  sides: number,
): string | null {
  const { maxHeavyCalls } = config;
  const heavyTools = heavyToolsOf(config, { embedded: config.url === null });
  const heavy = plannedHeavyCalls(planned, { heavyTools, epochs: epochsOf(config) * sides });
  if (heavy.length === 0) return null;
  const total = heavy.reduce((sum, { calls }) => sum + calls, 0);
  const parts = heavy.map(({ scenario, calls }) => `${scenario} ${calls}`).join(", ");
  if (total > maxHeavyCalls) {
    throw new UsageError(
      `Cannot run as --max-calls "${maxHeavyCalls}" allows fewer calls of heavy tools than are ` +
        `planned, which are ${total} (${parts}): accepted is --max-calls ${total} or more, or a ` +
        "smaller plan (--epochs, --messages, --connections, and repetitions in --heavy-tools)",
    );
  }
  return `heavy tools: at most ${total} calls (${parts}), --max-calls ${maxHeavyCalls}`;
}

/** The options that only some scenarios take; `--warmup` is the run's. */
const OPTION_OF: Record<Exclude<keyof Overrides, "warmupMs">, string> = {
  ...{ durationMs: "--duration", messages: "--messages", connections: "--connections" },
  ...{ payloadBytes: "--payload", inFlight: "--in-flight", ratePerSecond: "--rate" },
  ...{ arrivals: "--arrivals", maxOutstanding: "--max-outstanding", sloMs: "--slo" },
  ...{ stages: "--stages", spikeFactor: "--spike-factor", expectLimits: "--expect-limits" },
};

/** One warning for each option that was given, and that no planned scenario takes. */
export function unusedOptions(
  { overrides, heavyTools, workload, profile }: Pick<
    Config,
    "overrides" | "heavyTools" | "workload" | "profile"
  >,
  planned: readonly PlannedScenario[],
  scenarios: readonly Scenario[],
): string[] {
  const given: [unknown, string, (scenario: Scenario) => boolean][] = [
    [workload, "--workload", ({ worksInSessions = false }) => worksInSessions],
    [
      heavyTools,
      "--heavy-tools",
      ({ worksInSessions = false, heavyCalls }) => worksInSessions || heavyCalls !== undefined,
    ],
    ...Object.entries(OPTION_OF).map(([name, option]): typeof given[number] => [
      overrides[name as keyof Overrides],
      option,
      (scenario) => name in defaultsOf(scenario, profile),
    ]),
  ];
  return given.flatMap(([value, option, takes]) => {
    if (value === null || planned.some(({ scenario }) => takes(scenario))) return [];
    const names = scenarios.filter(takes).map(({ name }) => name).join(", ");
    return [
      `${option} has no effect, as no scenario of this run uses it: add one with --scenarios (${names})`,
    ];
  });
}

/**
 * How many event loops measure.
 *
 * @throws {UsageError} if more are asked for than can be used
 */
export function countWorkersFor(
  { url, workers, shard }: Config,
  planned: readonly PlannedScenario[],
): number {
  try {
    return countWorkers(workers, {
      cores: navigator.hardwareConcurrency,
      embedded: url === null,
      planned,
      shard,
    });
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}
