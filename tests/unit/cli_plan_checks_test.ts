import { assertEquals } from "@std/assert";
import { unusedOptions } from "../../lib/cli/plan.ts";
import type { Config } from "../../lib/cli/config.ts";
import { type Overrides, planScenarios } from "../../lib/run/plan.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { configOf } from "../support/config_of.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

const WORKLOAD = {} as NonNullable<Config["workload"]>;

async function warningsOf(
  names: string[] | null,
  { workload = null, heavyTools = null, ...given }:
    & Partial<Overrides>
    & Partial<Pick<Config, "workload" | "heavyTools">>,
): Promise<string[]> {
  const plain = await configOf([], { env: {}, directory: "/", vocabulary: {} });
  const overrides = { ...NO_OVERRIDES, ...given };
  const config = { ...plain, overrides, workload, heavyTools, profile: "quick" as const };
  const planned = planScenarios(SCENARIOS, { ...config, scenarios: names });
  return unusedOptions({ config, planned, sides: 1 }, SCENARIOS);
}

Deno.test("an option that no planned scenario uses causes a warning naming scenarios that do", async () => {
  assertEquals(await warningsOf(null, { workload: WORKLOAD, ratePerSecond: 100 }), [
    "--workload has no effect, as no scenario of this run uses it: add one with --scenarios " +
    "(session-capacity)",
    "--rate has no effect, as no scenario of this run uses it: add one with --scenarios " +
    "(open-loop, saturation, spike, soak, head-of-line)",
  ]);
  assertEquals((await warningsOf(["connection-limit"], { heavyTools: [] })).length, 1);
});

Deno.test("an option that a planned scenario uses causes no warning", async () => {
  assertEquals(await warningsOf(["session-capacity"], { workload: WORKLOAD, heavyTools: [] }), []);
  assertEquals(await warningsOf(["head-of-line"], { heavyTools: [] }), []);
  assertEquals(await warningsOf(["soak"], { ratePerSecond: 100 }), []);
  assertEquals(await warningsOf(null, { connections: 3, durationMs: 100, payloadBytes: 9 }), []);
  assertEquals(await warningsOf(["connection-limit"], { warmupMs: 1 }), []);
});
