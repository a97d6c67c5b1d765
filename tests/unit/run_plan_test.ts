import { assertEquals } from "@std/assert";
import { type Overrides, planScenarios } from "../../lib/run/plan.ts";
import { type Parameters, PROFILE_NAMES, type Scenario } from "../../lib/run/scenario.ts";
import { NO_OVERRIDES } from "../support/overrides.ts";

function scenarioWith(
  name: string,
  defaults: Parameters,
  { phase2 = defaults, profiles = PROFILE_NAMES as Scenario["profiles"] } = {},
): Scenario {
  return {
    name,
    question: "?",
    metrics: {},
    profiles,
    defaults: {
      quick: defaults,
      standard: { ...defaults, rounds: 10 },
      thorough: defaults,
      phase2,
    },
    run: () => Promise.resolve({ status: "measured" }),
  };
}

const TIMED = { rounds: 5, messages: null, durationMs: 150, warmupMs: 20 };
const COUNTED = { rounds: 5, messages: 100, durationMs: null, warmupMs: 0 };
const SCENARIOS = [
  scenarioWith("timed", TIMED, { phase2: COUNTED }),
  scenarioWith("plain", { rounds: 2, bound: 64 }),
];

function plan(overrides: Partial<Overrides>, profile: "quick" | "standard" | "phase2" = "quick") {
  return planScenarios(SCENARIOS, {
    names: null,
    profile,
    overrides: { ...NO_OVERRIDES, ...overrides },
  })
    .map(({ parameters }) => parameters);
}

Deno.test("without overrides a plan is the profile's", () => {
  assertEquals(plan({}), [TIMED, { rounds: 2, bound: 64 }]);
  assertEquals(plan({}, "standard").map(({ rounds }) => rounds), [10, 10]);
  assertEquals(plan({}, "phase2")[0], COUNTED);
});

Deno.test("named scenarios are planned in the order of the list", () => {
  const names = (given: string[]) =>
    planScenarios(SCENARIOS, { names: given, profile: "quick", overrides: NO_OVERRIDES })
      .map(({ scenario }) => scenario.name);
  assertEquals(names(["plain", "timed"]), ["timed", "plain"]);
  assertEquals(names(["plain"]), ["plain"]);
});

Deno.test("a scenario that is not part of the profile is planned only where it is named", () => {
  const scenarios = [scenarioWith("rare", TIMED, { profiles: ["thorough"] })];
  const rounds = (profile: "quick" | "thorough", names: string[] | null) =>
    planScenarios(scenarios, { names, profile, overrides: NO_OVERRIDES }).length;
  assertEquals([rounds("quick", null), rounds("thorough", null), rounds("quick", ["rare"])], [
    0,
    1,
    1,
  ]);
});

Deno.test("an override reaches only the scenarios that have the parameter", () => {
  assertEquals(plan({ rounds: 3, warmupMs: 0, connections: 9, payloadBytes: 7 }), [
    { ...TIMED, rounds: 3, warmupMs: 0 },
    { rounds: 3, bound: 64 },
  ]);
});

Deno.test("a count beats a duration, and what is given beats the other's default", () => {
  assertEquals(plan({ messages: 7 })[0], { ...TIMED, messages: 7, durationMs: null });
  assertEquals(plan({ durationMs: 9 }, "phase2")[0], { ...COUNTED, messages: null, durationMs: 9 });
  assertEquals(plan({ messages: 7, durationMs: 9 })[0], {
    ...TIMED,
    messages: 7,
    durationMs: null,
  });
});

Deno.test("planning leaves the scenario's own defaults alone", () => {
  plan({ messages: 7, rounds: 1 });
  assertEquals(SCENARIOS[0]!.defaults.quick, TIMED);
});

Deno.test("a profile that a scenario has no defaults for takes the standard ones", () => {
  const { defaults, ...rest } = scenarioWith("rare", TIMED);
  const scenario: Scenario = { ...rest, defaults: { standard: defaults.standard } };
  for (const profile of PROFILE_NAMES) {
    const [planned] = planScenarios([scenario], {
      names: ["rare"],
      profile,
      overrides: NO_OVERRIDES,
    });
    assertEquals(planned!.parameters, { ...TIMED, rounds: 10 });
  }
});

Deno.test("a count reaches a scenario without a duration, and gives it none", () => {
  const counted = { rounds: 5, messages: null, connections: 5 };
  const parameters = (overrides: Partial<Overrides>) =>
    planScenarios([scenarioWith("counted", counted)], {
      names: null,
      profile: "quick",
      overrides: { ...NO_OVERRIDES, ...overrides },
    })[0]!.parameters;
  assertEquals(parameters({ messages: 7 }), { ...counted, messages: 7 });
  assertEquals(parameters({ durationMs: 9 }), counted);
});
