import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, ScenarioReport } from "../../lib/schema.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { boxLines } from "../../lib/report/terminal/boxes.ts";
import { DistributionRecorder } from "../../lib/stats/summary.ts";
import { HOSTILE_TEXT, sampleReport, sampleScenario } from "../support/sample_report.ts";

// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[0-9;]*m/g;

/** A scenario of one latency: `[how many, of how many nanoseconds]`. */
function scenarioOf(name: string, ...groups: [count: number, ns: number][]): ScenarioReport {
  using recorder = new DistributionRecorder();
  recorder.startRound();
  for (const [count, ns] of groups) for (let i = 0; i < count; i++) recorder.record(ns);
  recorder.endRound();
  const latency = recorder.distribution("latency", { better: "lower", seed: 1 })!;
  return sampleScenario(name, { metrics: [latency] });
}

/** Sorted, its ranks 500, 1000, 1500 and 1980 of 2,000 are a decade apart. */
const DECADES = scenarioOf("open-loop", [200, 1e3], [300, 1e4], [900, 1e5], [500, 1e6], [100, 1e7]);

Deno.test("a box stands where its percentiles are on a logarithmic scale", () => {
  // 9 for the name, 3 for the frame, 47 for the plot: 48 steps from end to end, 12 for each decade.
  const [frame, , middle, , , labels] = boxLines([DECADES], { color: false, width: 59 });
  assertEquals(frame, `          ┌${" ".repeat(47)}┐`);
  assertEquals(
    middle,
    `open-loop ├${"─".repeat(11)}┤${" ".repeat(11)}│${" ".repeat(11)}├${"─".repeat(11)}┤`,
  );
  assertEquals(labels!.trim().split(/ {2,}/), ["1.00 µs", "0.10 ms", "10.0 ms"]);
});

Deno.test("scenarios share one scale, and those without P99 are named", () => {
  const lines = boxLines(
    [
      DECADES,
      scenarioOf("soak", [1, 2e4], [100, 1e5], [50, 2e5], [100, 3e5]),
      scenarioOf("short", [39, 5e4]),
    ],
    { color: false, width: 100 },
  );
  const text = lines.join("\n");
  assert(!text.includes("short"), "39 samples have no quartile");
  assertStringIncludes(text, "Too few samples for P99: soak to P95.");
  const soak = lines.find((line) => line.trimStart().startsWith("soak"))!;
  // Of 65 steps over four decades, behind the 9 characters of the longer name and a space.
  assertEquals(soak.indexOf("│"), 10 + Math.round(65 * Math.log10(2e5 / 1e3) / 4));
});

Deno.test("there is no picture where there is nothing to draw", () => {
  const options = { color: false, width: 80 };
  const unreadable = structuredClone(DECADES);
  (unreadable.metrics[0] as Distribution).histogram = "HISTFAAAAA==";
  const same = scenarioOf("soak", [100, 5e4]);
  const layers = structuredClone(DECADES);
  layers.metrics[0]!.name = "layer.dispatch";
  for (const scenarios of [[], [sampleScenario("soak")], [same], [unreadable], [layers]]) {
    assertEquals(boxLines(scenarios, options), []);
  }
});

Deno.test("a narrow window numbers the boxes, and no line is wider than it", () => {
  const scenarios = [DECADES, scenarioOf("concurrent-connections", [300, 2e5], [300, 4e5])];
  for (const width of [40, 41, 59, 60, 80, 200]) {
    for (const line of boxLines(scenarios, { color: false, width })) {
      assert([...line].length <= width, `${width}: ${line}`);
    }
  }
  const narrow = boxLines(scenarios, { color: false, width: 40 });
  assert(narrow.some((line) => line.startsWith("1 ├")), narrow.join("\n"));
  assert(narrow.includes("1 open-loop") && narrow.includes("2 concurrent-connections"));
});

Deno.test("the boxes are in the summary, and colour changes nothing but the colour", () => {
  const report = sampleReport("passed");
  report.scenarios.push(DECADES);
  const plain = renderTerminalSummary(report, { color: false, width: 80 });
  const colored = renderTerminalSummary(report, { color: true, width: 80 });
  assertStringIncludes(plain, "├───");
  assert(!plain.includes("\x1b"));
  assertEquals(colored.replace(COLOR, ""), plain);
  assert(plain.indexOf("├───") < plain.indexOf("NOTE"));
});

Deno.test("a name of others is text in the picture", () => {
  const hostile = { ...DECADES, name: HOSTILE_TEXT };
  const text = boxLines([hostile], { color: false, width: 80 }).join("\n");
  assertStringIncludes(text, "1 ├");
  // deno-lint-ignore no-control-regex
  assertEquals(text.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/g), null);
});
