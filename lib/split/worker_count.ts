import type { ShardPlace } from "../schema.ts";
import { shareOf, WHOLE } from "../load/share.ts";
import { connectionsOf, type PlannedScenario } from "../run/plan.ts";

/** What the number of workers depends on. */
export interface WorkerCountOptions {
  /** Of this machine. */
  cores: number;
  /** Whether the server that is measured runs on this machine too, in this very process. */
  embedded: boolean;
  planned: readonly PlannedScenario[];
  shard: ShardPlace | null;
}

/**
 * How many workers to start: for `auto` as many as there are cores, less one for the bundled server; never
 * more than the connections of any scenario that is split.
 *
 * @throws {RangeError} if more are asked for than there are connections, or no scenario can be split
 */
export function countWorkers(
  asked: number | "auto" | null,
  { cores, embedded, planned, shard }: WorkerCountOptions,
): number {
  if (asked === null || asked === 1) return 1;
  const shares = planned.filter(({ scenario }) => scenario.sharding !== undefined).map((one) => ({
    name: one.scenario.name,
    connections: shareOf(connectionsOf(one), shard ?? WHOLE),
  }));
  const [fewest] = shares.sort((a, b) => a.connections - b.connections);
  if (asked === "auto") {
    return Math.max(1, Math.min(cores - (embedded ? 1 : 0), fewest?.connections ?? 1));
  }
  if (fewest === undefined) {
    throw new RangeError(
      `Cannot use --workers ${asked} as none of the scenarios can be split: leave the option out`,
    );
  }
  if (asked > fewest.connections) {
    throw new RangeError(
      `Cannot use --workers ${asked} as ${fewest.name} has ${fewest.connections} connections to ` +
        "split: accepted are as many workers, or more with --connections",
    );
  }
  return asked;
}
