import type { Arrivals } from "../load/schedule.ts";
import type { PlannedScenario } from "./runner.ts";
import { defaultsOf, type Parameters, type ProfileName, type Scenario } from "./scenario.ts";

/** Parameters that the user sets for every scenario that has them; `null`: as in the profile. */
export interface Overrides {
  rounds: number | null;
  durationMs: number | null;
  warmupMs: number | null;
  messages: number | null;
  connections: number | null;
  payloadBytes: number | null;
  inFlight: number | null;
  ratePerSecond: number | null;
  arrivals: Arrivals | null;
  maxOutstanding: number | null;
  sloMs: number | null;
  expectLimits: string | null;
}

/** What a plan is made from. */
export interface PlanOptions {
  /** The names to run; `null`: those of the profile. */
  names: readonly string[] | null;
  profile: ProfileName;
  overrides: Overrides;
}

/** The scenarios to run, each with its parameters, in the order of the list. */
export function planScenarios(
  scenarios: readonly Scenario[],
  { names, profile, overrides }: PlanOptions,
): PlannedScenario[] {
  return scenarios
    .filter(({ name, profiles }) => names?.includes(name) ?? profiles.includes(profile))
    .map((scenario) => ({
      scenario,
      parameters: applyOverrides(defaultsOf(scenario, profile), overrides),
    }));
}

/** A count beats a duration, and one that is given beats the other's default. */
function applyOverrides(defaults: Parameters, overrides: Overrides): Parameters {
  const given = Object.entries(overrides).filter(([name, value]) =>
    value !== null && name in defaults
  );
  const parameters: Parameters = { ...defaults, ...Object.fromEntries(given) };
  if (!("messages" in defaults && "durationMs" in defaults)) return parameters;
  if (overrides.messages !== null) parameters.durationMs = null;
  else if (overrides.durationMs !== null) parameters.messages = null;
  return parameters;
}
