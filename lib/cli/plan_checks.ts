/**
 * Holds what is planned against what was asked for, before anything is started.
 *
 * @module
 */

import { plannedHeavyCalls, type PlannedScenario } from "../run/plan.ts";
import { epochsOf, heavyToolsOf } from "../run/run.ts";
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
): string | null {
  const { maxHeavyCalls } = config;
  const heavyTools = heavyToolsOf(config, { embedded: config.url === null });
  const heavy = plannedHeavyCalls(planned, { heavyTools, epochs: epochsOf(config) });
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
