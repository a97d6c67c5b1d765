import { assertEquals } from "@std/assert";
import { unusedOptions } from "../../lib/cli/plan.ts";
import { type Overrides, planScenarios } from "../../lib/run/plan.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

const WORKLOAD = {} as Parameters<typeof unusedOptions>[0]["workload"];

function warningsOf(
  names: string[] | null,
  { workload = null as typeof WORKLOAD, heavyTools = null as [] | null, ...given }:
    & Partial<Overrides>
    & { workload?: typeof WORKLOAD; heavyTools?: [] | null },
): string[] {
  const overrides = { ...NO_OVERRIDES, ...given };
  const planned = planScenarios(SCENARIOS, { scenarios: names, profile: "quick", overrides });
  const config = { overrides, workload, heavyTools, profile: "quick" } as const;
  return unusedOptions(config, planned, SCENARIOS);
}

Deno.test("an option that no planned scenario uses causes a warning naming scenarios that do", () => {
  assertEquals(warningsOf(null, { workload: WORKLOAD, ratePerSecond: 100 }), [
    "--workload has no effect, as no scenario of this run uses it: add one with --scenarios " +
    "(session-capacity)",
    "--rate has no effect, as no scenario of this run uses it: add one with --scenarios " +
    "(open-loop, saturation, spike, soak, head-of-line)",
  ]);
  assertEquals(warningsOf(["connection-limit"], { heavyTools: [] }).length, 1);
});

Deno.test("an option that a planned scenario uses causes no warning", () => {
  assertEquals(warningsOf(["session-capacity"], { workload: WORKLOAD, heavyTools: [] }), []);
  assertEquals(warningsOf(["head-of-line"], { heavyTools: [] }), []);
  assertEquals(warningsOf(["soak"], { ratePerSecond: 100 }), []);
  assertEquals(warningsOf(null, { connections: 3, durationMs: 100, payloadBytes: 9 }), []);
  assertEquals(warningsOf(["connection-limit"], { warmupMs: 1 }), []);
});
