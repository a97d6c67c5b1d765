import type { ShardPlace } from "../schema.ts";
import type { Arrivals } from "../load/schedule.ts";
import { shareOf } from "../load/share.ts";
import { parseStages, peakOf, spanOf } from "../load/stages.ts";
import type { HeavyTools } from "./heavy_tools.ts";
import { defaultsOf, type Parameters, type ProfileName, type Scenario } from "./scenario.ts";

/** A scenario with its parameters in a run. */
export interface PlannedScenario {
  scenario: Scenario;
  /** Of the whole scenario, even if this is a share of it. */
  parameters: Parameters;
  /** The share of it to run. Default: all of it. */
  place?: ShardPlace;
  /** Why to skip it. Default: it runs. */
  skip?: string;
}

type Numbers = Record<
  | ("durationMs" | "warmupMs" | "messages" | "connections" | "payloadBytes" | "inFlight")
  | ("ratePerSecond" | "maxOutstanding" | "sloMs" | "spikeFactor"),
  number | null
>;

/** Parameters that the user sets for all scenarios that have them; `null`: the profile's. */
export interface Overrides extends Numbers {
  arrivals: Arrivals | null;
  /** Ramps of a rate or of sessions, see `parseStages`. */
  stages: string | null;
  expectLimits: string | null;
}

/** Default epochs after the warm-up. */
export const EPOCHS: Readonly<Record<ProfileName, number>> = {
  quick: 5,
  standard: 10,
  thorough: 20,
  phase2: 5,
  phase3: 5,
};

/** Plans the named scenarios, in the order of the list; `null`: those of the profile. */
export function planScenarios(
  all: readonly Scenario[],
  { scenarios, profile, overrides }: {
    scenarios: readonly string[] | null;
    profile: ProfileName;
    overrides: Overrides;
  },
): PlannedScenario[] {
  return all
    .filter(({ name, profiles }) => scenarios?.includes(name) ?? profiles.includes(profile))
    .map((scenario) => ({
      scenario,
      parameters: applyOverrides(defaultsOf(scenario, profile), overrides),
    }));
}

/**
 * Plans one shard: its share of the scenarios that can be split, first so that all shards start
 * them together. The other scenarios run on the first shard only.
 */
export function planShard(
  planned: readonly PlannedScenario[],
  place: ShardPlace,
): PlannedScenario[] {
  if (place.count === 1) return [...planned];
  const split = planned.filter(({ scenario }) => scenario.sharding !== undefined);
  const whole = planned.filter(({ scenario }) => scenario.sharding === undefined);
  const skip = "it cannot be split: the first shard runs it alone";
  return [
    ...split.map((one) => {
      const count = Number(one.parameters.connections);
      if (shareOf(count, place) > 0) return { ...one, place };
      const skip = count === 1
        ? "its only connection is on the first shard"
        : `its ${count} connections are on the first ${count} shards`;
      return { ...one, place, skip };
    }),
    ...whole.map((one) => place.index === 1 ? one : { ...one, skip }),
  ];
}

/** Maximum calls of heavy tools by each planned scenario that makes any. */
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

/** A given count or duration replaces the other's default; a count beats a duration. */
function applyOverrides(defaults: Parameters, overrides: Overrides): Parameters {
  const given = Object.entries(overrides)
    .filter(([name, value]) => value !== null && name in defaults);
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
