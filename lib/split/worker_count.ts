import type { ShardPlace } from "../schema.ts";
import { shareOf, WHOLE } from "../load/share.ts";
import type { PlannedScenario } from "../run/plan.ts";

export interface WorkerCountOptions {
  cores: number;
  /** True if the measured server runs in this process. */
  embedded: boolean;
  planned: readonly PlannedScenario[];
  shard: ShardPlace | null;
}

/**
 * Number of workers to start. `auto`: one per core, less one for the bundled server, and at most as
 * many as every split scenario has connections.
 *
 * @throws {RangeError} if there are fewer connections than workers, or no scenario can be split
 */
export function countWorkers(
  asked: number | "auto" | null,
  { cores, embedded, planned, shard }: WorkerCountOptions,
): number {
  if (asked === null || asked === 1) return 1;
  const split = planned.filter(({ scenario }) => scenario.sharding !== undefined);
  const shares = split.map(({ scenario: { name }, parameters }) => ({
    name,
    connections: shareOf(Number(parameters.connections), shard ?? WHOLE),
  }));
  const [fewest] = shares.sort((a, b) => a.connections - b.connections);
  if (asked === "auto") {
    return Math.max(1, Math.min(cores - (embedded ? 1 : 0), fewest?.connections ?? 1));
  }
  if (fewest === undefined) {
    throw new RangeError(
      `Cannot use --workers ${asked} as none of the scenarios can be split: omit the option`,
    );
  }
  if (asked > fewest.connections) {
    throw new RangeError(
      `Cannot use --workers ${asked} as ${fewest.name} has ${fewest.connections} connections to ` +
        "split: accepted are at most that many workers, or more with --connections",
    );
  }
  return asked;
}
