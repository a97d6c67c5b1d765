import { assertEquals } from "@std/assert";
import { type Overrides, planScenarios } from "../../lib/run/plan.ts";
import { epochsOf } from "../../lib/run/run.ts";
import {
  type Parameters as Defaults,
  PROFILE_NAMES,
  type ProfileName,
  type Scenario,
} from "../../lib/run/scenario.ts";
import { SCENARIOS as ALL } from "../../scenarios/mod.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

function scenarioWith(
  name: string,
  defaults: Defaults,
  { phase2 = defaults, profiles = PROFILE_NAMES as Scenario["profiles"] } = {},
): Scenario {
  const standard = { ...defaults, bound: 10 };
  return {
    ...{ kind: "procedure", name, title: name, question: "?", profiles },
    ...{ metrics: {}, headline: { metric: "none" }, gates: [] },
    defaults: { quick: defaults, standard, thorough: defaults, phase2 },
    begin: () => ({}),
  };
}

const TIMED = { bound: 5, messages: null, durationMs: 150 };
const COUNTED = { bound: 5, messages: 100, durationMs: null };
const SCENARIOS = [
  scenarioWith("timed", TIMED, { phase2: COUNTED }),
  scenarioWith("plain", { bound: 64, inFlight: 2 }),
];

function plan(
  given: Partial<Overrides>,
  profile: ProfileName = "quick",
  { scenarios = SCENARIOS, names = null as string[] | null } = {},
) {
  const overrides = { ...NO_OVERRIDES, ...given };
  return planScenarios(scenarios, { scenarios: names, profile, overrides })
    .map(({ parameters }) => parameters);
}

Deno.test("without overrides a plan has the parameters of the profile", () => {
  assertEquals(plan({}), [TIMED, { bound: 64, inFlight: 2 }]);
  assertEquals(plan({}, "standard").map(({ bound }) => bound), [10, 10]);
  assertEquals(plan({}, "phase2")[0], COUNTED);
});

Deno.test("named scenarios are planned in the order of the list", () => {
  const names = (given: string[]) =>
    planScenarios(SCENARIOS, { scenarios: given, profile: "quick", overrides: NO_OVERRIDES })
      .map(({ scenario }) => scenario.name);
  assertEquals(names(["plain", "timed"]), ["timed", "plain"]);
  assertEquals(names(["plain"]), ["plain"]);
});

Deno.test("a scenario outside the profile is planned only if named", () => {
  const scenarios = [scenarioWith("rare", TIMED, { profiles: ["thorough"] })];
  assertEquals(plan({}, "quick", { scenarios }).length, 0);
  assertEquals(plan({}, "thorough", { scenarios }).length, 1);
  assertEquals(plan({}, "quick", { scenarios, names: ["rare"] }).length, 1);
});

Deno.test("an override reaches only the scenarios that have the parameter", () => {
  assertEquals(plan({ inFlight: 3, durationMs: 9, connections: 9, payloadBytes: 7 }), [
    { ...TIMED, durationMs: 9 },
    { bound: 64, inFlight: 3 },
  ]);
});

Deno.test("a given count replaces a duration, and either replaces the default of the other", () => {
  assertEquals(plan({ messages: 7 })[0], { ...TIMED, messages: 7, durationMs: null });
  assertEquals(plan({ durationMs: 9 }, "phase2")[0], { ...COUNTED, messages: null, durationMs: 9 });
  const both = plan({ messages: 7, durationMs: 9 })[0];
  assertEquals(both, { ...TIMED, messages: 7, durationMs: null });
});

Deno.test("planning does not change the scenario's defaults", () => {
  plan({ messages: 7, durationMs: 1 });
  assertEquals(SCENARIOS[0]!.defaults.quick, TIMED);
});

Deno.test("a scenario without defaults for a profile uses its standard ones", () => {
  const { defaults, ...rest } = scenarioWith("rare", TIMED);
  const scenario: Scenario = { ...rest, defaults: { standard: defaults.standard } };
  for (const profile of PROFILE_NAMES) {
    const planned = plan({}, profile, { scenarios: [scenario], names: ["rare"] });
    assertEquals(planned, [{ ...TIMED, bound: 10 }]);
  }
});

Deno.test("a scenario without a duration takes a count, but no duration", () => {
  const counted = { messages: null, connections: 5 };
  const scenarios = [scenarioWith("counted", counted)];
  assertEquals(plan({ messages: 7 }, "quick", { scenarios }), [{ ...counted, messages: 7 }]);
  assertEquals(plan({ durationMs: 9 }, "quick", { scenarios }), [counted]);
});

Deno.test("epochs are those of the profile unless given, and at least six with a precision", () => {
  const epochs = (given: Partial<Parameters<typeof epochsOf>[0]>) =>
    epochsOf({ epochs: null, profile: "quick", precisionPercent: null, ...given });
  assertEquals([epochs({}), epochs({ profile: "thorough" }), epochs({ epochs: 2 })], [5, 20, 2]);
  assertEquals(epochs({ precisionPercent: 3 }), 6);
  assertEquals(epochs({ precisionPercent: 3, epochs: 2 }), 6);
  assertEquals(epochs({ precisionPercent: 3, epochs: 12 }), 12);
});

Deno.test("stages set the duration, and their peak sets the rate or the number of sessions", () => {
  const planned = (name: string, overrides: Partial<Overrides>) => {
    const stages = "1s:50,2s:20";
    return plan({ stages, ...overrides }, "quick", { scenarios: [...ALL], names: [name] })[0]!;
  };
  const open = planned("open-loop", { messages: 7 });
  assertEquals([open.durationMs, open.messages, open.ratePerSecond], [3_000, null, 50]);
  assertEquals(planned("session-capacity", {}).connections, 50);
  assertEquals(planned("session-capacity", { connections: 30 }).connections, 30);
});
