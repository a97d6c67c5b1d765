import type { ShardPlace } from "../schema.ts";
import type { Arrivals } from "../load/schedule.ts";
import { shareOf } from "../load/share.ts";
import { parseStages, peakOf, spanOf } from "../load/stages.ts";
import type { HeavyTools } from "./heavy_tools.ts";
import { defaultsOf, type Parameters, type ProfileName, type Scenario } from "./scenario.ts";

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

type Numbers = Record<
  | ("durationMs" | "warmupMs" | "messages" | "connections" | "payloadBytes" | "inFlight")
  | ("ratePerSecond" | "maxOutstanding" | "sloMs" | "spikeFactor"),
  number | null
>;

/** Parameters that the user sets for every scenario that has them; `null`: as in the profile. */
export interface Overrides extends Numbers {
  arrivals: Arrivals | null;
  /** Ramps of a rate or of sessions, as `parseStages` reads them. */
  stages: string | null;
  expectLimits: string | null;
}

/** How often everything is repeated after the warm-up, unless the user says otherwise. */
export const EPOCHS: Readonly<Record<ProfileName, number>> = {
  quick: 5,
  standard: 10,
  thorough: 20,
  phase2: 5,
  phase3: 5,
};

/** The scenarios to run, each with its parameters, in the order of the list; `names` `null`: the profile's. */
export function planScenarios(
  scenarios: readonly Scenario[],
  { names, profile, overrides }: {
    names: readonly string[] | null;
    profile: ProfileName;
    overrides: Overrides;
  },
): PlannedScenario[] {
  return scenarios
    .filter(({ name, profiles }) => names?.includes(name) ?? profiles.includes(profile))
    .map((scenario) => ({
      scenario,
      parameters: applyOverrides(defaultsOf(scenario, profile), overrides),
    }));
}

/**
 * What one shard runs: first its share of the scenarios that can be split, so that all shards come to them
 * at the same time; the others are the first shard's alone.
 */
export function planShard(
  planned: readonly PlannedScenario[],
  place: ShardPlace,
): PlannedScenario[] {
  if (place.count === 1) return [...planned];
  const split = planned.filter(({ scenario }) => scenario.sharding !== undefined);
  const whole = planned.filter(({ scenario }) => scenario.sharding === undefined);
  const notHere = { skip: "it cannot be split: the first shard runs it alone" };
  return [
    ...split.map((one) => {
      const count = connectionsOf(one);
      const skip = count === 1
        ? "its only connection is that of the first shard"
        : `its ${count} connections are those of the first ${count} shards`;
      return { ...one, place, ...(shareOf(count, place) > 0 ? {} : { skip }) };
    }),
    ...whole.map((one) => place.index === 1 ? one : { ...one, ...notHere }),
  ];
}

/** The connections of a scenario that can be split, of all shards together. */
export function connectionsOf({ parameters }: PlannedScenario): number {
  const { connections } = parameters;
  if (typeof connections === "number") return connections;
  throw new TypeError("Cannot split a scenario as its parameter connections is no number");
}

/** The most calls of heavy tools that each planned scenario makes; those that make none are left out. */
export function plannedHeavyCalls(
  planned: readonly PlannedScenario[],
  { heavyTools, epochs }: { heavyTools: HeavyTools; epochs: number },
): { scenario: string; calls: number }[] {
  if (heavyTools.status === "refused") return [];
  return planned.flatMap(({ scenario, parameters }) => {
    const calls = scenario.heavyCalls?.(parameters, heavyTools.tools);
    return calls === undefined ? [] : [{ scenario: scenario.name, calls: calls * epochs }];
  });
}

/** A count beats a duration, and one that is given beats the other's default. */
function applyOverrides(defaults: Parameters, overrides: Overrides): Parameters {
  const given = Object.entries(overrides).filter(([name, value]) =>
    value !== null && name in defaults
  );
  const parameters: Parameters = { ...defaults, ...Object.fromEntries(given) };
  if ("stages" in defaults && overrides.stages !== null) {
    const stages = parseStages(overrides.stages);
    parameters.durationMs = spanOf(stages);
    if ("ratePerSecond" in defaults) parameters.ratePerSecond = peakOf(stages);
    else if (overrides.connections === null) parameters.connections = Math.ceil(peakOf(stages));
    if ("messages" in defaults) parameters.messages = null;
    return parameters;
  }
  if (!("messages" in defaults && "durationMs" in defaults)) return parameters;
  if (overrides.messages !== null) parameters.durationMs = null;
  else if (overrides.durationMs !== null) parameters.messages = null;
  return parameters;
}
