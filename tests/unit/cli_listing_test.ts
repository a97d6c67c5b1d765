import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listText } from "../../lib/cli/plan.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import { plannedMs } from "../../lib/run/planned_time.ts";
import { type Parameters, PROFILE_NAMES } from "../../lib/run/scenario.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

function timeOf(
  names: string[],
  given: Parameters = {},
  { epochs = 10, warmsUp = true } = {},
): number {
  const overrides = { ...NO_OVERRIDES, ...given };
  const planned = planScenarios(SCENARIOS, { scenarios: names, profile: "standard", overrides });
  return plannedMs(planned, { epochs, warmsUp });
}

Deno.test("--list shows each profile and its time, and each scenario, its profiles and its time", () => {
  const text = listText(SCENARIOS);
  for (const name of PROFILE_NAMES) {
    assert(new RegExp(`^  ${name} +about \\d+ (s|min) `, "m").test(text), name);
  }
  assertEquals(text.match(/; alone about \d+ (s|min) in /g)?.length, SCENARIOS.length);
  assertStringIncludes(text, "in standard, thorough; alone about");
  assertStringIncludes(text, "in no profile: use --scenarios; alone about");
});

Deno.test("the planned time follows from the plan", () => {
  const names = ["message-throughput"];
  const start = timeOf([]);
  const cold = { warmsUp: false };
  const short = timeOf(names, {}, cold);
  // Twice the time is twice as many slices, each with a lead-in.
  const twice = timeOf(names, { durationMs: 400 }, cold);
  assertEquals(Math.round((twice - start) / (short - start) * 100), 200);
  const often = timeOf(names, {}, { ...cold, epochs: 20 });
  assertEquals(Math.round((often - start) / (short - start) * 100), 200);
  // Warming up takes one more epoch and up to 3 s, less in a short run.
  assertEquals(timeOf(names) - short, (short - start) / 10 + 3_000);
  const five = { durationMs: 100 };
  assert(timeOf(names, five, { epochs: 5 }) - timeOf(names, five, { ...cold, epochs: 5 }) < 2_000);
  assert(timeOf([...names, "reconnection"], {}, cold) > short);
  // Waits for the server run in parallel with other scenarios.
  assertEquals(timeOf(["authentication"]), start + 15_000);
  const all = timeOf([...names, "reconnection", "overhead-breakdown"]);
  assert(timeOf([...names, "reconnection", "overhead-breakdown", "authentication"]) - all < 1_000);
});

Deno.test("every scenario states how long it takes", () => {
  const start = timeOf([]);
  for (const { name } of SCENARIOS) assert(timeOf([name]) > start, name);
});
