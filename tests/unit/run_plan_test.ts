import { assertEquals } from "@std/assert";
import { type Overrides, planScenarios } from "../../lib/run/plan.ts";
import { epochsOf } from "../../lib/run/run.ts";
import {
  type Parameters as Defaults,
  PROFILE_NAMES,
  type Scenario,
} from "../../lib/run/scenario.ts";
import { SCENARIOS as ALL } from "../../scenarios/mod.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

function scenarioWith(
  name: string,
  defaults: Defaults,
  { phase2 = defaults, profiles = PROFILE_NAMES as Scenario["profiles"] } = {},
): Scenario {
  return {
    kind: "procedure",
    name,
    title: name,
    question: "?",
    metrics: {},
    headline: { metric: "none" },
    gates: [],
    profiles,
    defaults: {
      quick: defaults,
      standard: { ...defaults, bound: 10 },
      thorough: defaults,
      phase2,
    },
    begin: () => ({}),
  };
}

const TIMED = { bound: 5, messages: null, durationMs: 150 };
const COUNTED = { bound: 5, messages: 100, durationMs: null };
const SCENARIOS = [
  scenarioWith("timed", TIMED, { phase2: COUNTED }),
  scenarioWith("plain", { bound: 64, inFlight: 2 }),
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
  assertEquals(plan({}), [TIMED, { bound: 64, inFlight: 2 }]);
  assertEquals(plan({}, "standard").map(({ bound }) => bound), [10, 10]);
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
  const count = (profile: "quick" | "thorough", names: string[] | null) =>
    planScenarios(scenarios, { names, profile, overrides: NO_OVERRIDES }).length;
  assertEquals([count("quick", null), count("thorough", null), count("quick", ["rare"])], [
    0,
    1,
    1,
  ]);
});

Deno.test("an override reaches only the scenarios that have the parameter", () => {
  assertEquals(plan({ inFlight: 3, durationMs: 9, connections: 9, payloadBytes: 7 }), [
    { ...TIMED, durationMs: 9 },
    { bound: 64, inFlight: 3 },
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
  plan({ messages: 7, durationMs: 1 });
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
    assertEquals(planned!.parameters, { ...TIMED, bound: 10 });
  }
});

Deno.test("a count reaches a scenario without a duration, and gives it none", () => {
  const counted = { messages: null, connections: 5 };
  const parameters = (overrides: Partial<Overrides>) =>
    planScenarios([scenarioWith("counted", counted)], {
      names: null,
      profile: "quick",
      overrides: { ...NO_OVERRIDES, ...overrides },
    })[0]!.parameters;
  assertEquals(parameters({ messages: 7 }), { ...counted, messages: 7 });
  assertEquals(parameters({ durationMs: 9 }), counted);
});

Deno.test("the epochs are those of the profile, those given, or with a precision at least six", () => {
  const epochs = (given: Partial<Parameters<typeof epochsOf>[0]>) =>
    epochsOf({ epochs: null, profile: "quick", precisionPercent: null, ...given });
  assertEquals([epochs({}), epochs({ profile: "thorough" }), epochs({ epochs: 2 })], [5, 20, 2]);
  assertEquals(epochs({ precisionPercent: 3 }), 6);
  assertEquals(epochs({ precisionPercent: 3, epochs: 2 }), 6);
  assertEquals(epochs({ precisionPercent: 3, epochs: 12 }), 12);
});

Deno.test("stages are as long as they say, their peak is the rate, or the connections of sessions", () => {
  const planned = (name: string, overrides: Partial<Overrides>) =>
    planScenarios(ALL, {
      names: [name],
      profile: "quick",
      overrides: { ...NO_OVERRIDES, stages: "1s:50,2s:20", ...overrides },
    })[0]!.parameters;
  const open = planned("open-loop", { messages: 7 });
  assertEquals([open.durationMs, open.messages, open.ratePerSecond], [3_000, null, 50]);
  assertEquals(planned("session-capacity", {}).connections, 50);
  assertEquals(planned("session-capacity", { connections: 30 }).connections, 30);
});
