import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Interval, Report, Scalar } from "../../lib/schema.ts";
import { heavyGoals } from "../../lib/report/heavy_goals.ts";
import { heavyToolRows, interferenceRows } from "../../lib/report/heavy.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { insights } from "../../lib/report/insights.ts";
import { keyNumbers } from "../../lib/report/key_numbers.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { nextSteps } from "../../lib/report/next_steps.ts";
import { HOSTILE_TEXT, sampleReport } from "../support/sample_report.ts";

const NOT_MEASURED = /[Hh]eavy tools[^.\n]*not measured|does not say how long they take/;

/** A run of the light tool that named heavy-tools as well. */
function withHeavyTools(): Report {
  const report = sampleReport("passed");
  return { ...report, scenarios: [...report.scenarios, ...sampleReport("phase3").scenarios] };
}

function withTool(tool: string): Report {
  const report = sampleReport("passed");
  return { ...report, target: { ...report.target, tool } };
}

/** The sample with other values of its interference ratios. */
function withRatio(
  place: string,
  value: number,
  ci95: Interval | null = [value * 0.9, value * 1.1],
): Report {
  const report = sampleReport("phase3");
  for (const metric of report.scenarios[1]!.metrics) {
    if (metric.name === `interference.${place}`) Object.assign(metric, { value, ci95 });
  }
  return report;
}

Deno.test("heavy tools are said not to be measured only where they were not", () => {
  const light = sampleReport("passed");
  assert(NOT_MEASURED.test(renderMarkdown(light)));
  assertStringIncludes(nextSteps(light).join(), "--profile phase3; this run does not say");
  for (const report of [withHeavyTools(), sampleReport("phase3")]) {
    assert(!NOT_MEASURED.test(renderMarkdown(report)));
    assert(!nextSteps(report).join().includes("--profile phase3"));
  }
});

Deno.test("a run whose one tool is heavy does not say that heavy tools were not measured", () => {
  for (const tool of ["chat", "analyze-EXAI-WS", "debug_EXAI_WS"]) {
    const report = withTool(tool);
    assert(!NOT_MEASURED.test(renderMarkdown(report)), tool);
    assertStringIncludes(nextSteps(report).join(), `Measure ${tool} beside the other heavy tools`);
  }
  for (const tool of ["chatter", "status", "re-analyze"]) {
    assert(NOT_MEASURED.test(renderMarkdown(withTool(tool))), tool);
  }
});

Deno.test("a named heavy-tools fills the top of the pyramid, with the ratio to the level below", () => {
  const page = renderMarkdown(withHeavyTools());
  // 1,151 msg/s of the light tool over 0.94 of the heavy ones.
  const [, light] = /Integration Tests:\s+([\d,]+) msg\/s/.exec(page)!;
  const ratio = Math.round(Number(light!.replaceAll(",", "")) / 0.94);
  const [, told] = /↓ ([\d,]+)x slower\nEnd-to-End Tests:/.exec(page)!;
  assert(Math.abs(Number(told!.replaceAll(",", "")) - ratio) <= 1, `${told} and ${ratio}`);
  assertStringIncludes(page, "0.9 msg/s  (heavy tools, one client)\n");
  assertStringIncludes(page, "# Phase 2: Real Integration Tests");
});

Deno.test("the report of phase 3 leads with its own numbers", () => {
  const report = sampleReport("phase3");
  assertEquals(keyNumbers(report).map(({ label, value }) => [label, value]), [
    ["Throughput (Single Client)", "0.9 msg/s"],
    ["Throughput (5 Concurrent)", "4.4 msg/s"],
    ["Time to Result (chat)", "810 ms"],
    ["Time to Result (analyze)", "2.0 s"],
    ["Cheap Call Beside a Heavy One", "1.1x"],
  ]);
  assertEquals(heavyToolRows(report)[1], ["analyze", "5", "–", "2.0 s", "3.4 s", "2.0 s", "5"]);
  assertEquals(interferenceRows(report).map(([name, ratio]) => [name, ratio]), [
    ["alone", "–"],
    ["beside a heavy one, on the same connection", "1,020x"],
    ["beside a heavy one, on another connection", "1.1x"],
    ["beside a heavy one, from another address", "912x"],
  ]);
  const page = renderMarkdown(report);
  for (const other of ["Phase 2", "Reconnection", "Authentication", "Unit Tests |"]) {
    assert(!page.includes(other), other);
  }
});

Deno.test("phase 3 without its numbers says so, and promises nothing", () => {
  const report = { ...sampleReport("phase3"), scenarios: [] };
  assertEquals(keyNumbers(report).map(({ measured }) => measured), [false, false, false]);
  const page = renderMarkdown(report);
  assertStringIncludes(page, "Success Criteria: 0 of 5 met");
  assert(!page.includes("## ⚙️ Heavy Tools"));
});

Deno.test("the bundled server's figures are no baseline of production", () => {
  const report = sampleReport("phase3");
  assertStringIncludes(renderMarkdown(report), "Success Criteria: 5 of 5 met");
  report.target.kind = "embedded";
  const page = renderMarkdown(report);
  assertStringIncludes(page, "Success Criteria: 4 of 5 met");
  assertStringIncludes(page, "only simulate their work");
});

Deno.test("interference is good, neutral or bad by its ratio; on one connection never bad", () => {
  const toneOf = (place: string, where: string, value: number) =>
    insights(withRatio(place, value)).find(({ text }) =>
      text.includes("cheap") && text.includes(where)
    )?.tone;
  const tones = (place: string, where: string) =>
    [0.9, 3, 50].map((value) => toneOf(place, where, value));
  assertEquals(tones("otherConnection", "on another connection"), ["good", "neutral", "bad"]);
  assertEquals(tones("otherAddress", "from another address"), ["good", "neutral", "bad"]);
  assertEquals(tones("sameConnection", "on the same connection"), [
    "neutral",
    "neutral",
    "neutral",
  ]);
});

Deno.test("interference is neither praised nor blamed where its interval is wide, or missing", () => {
  const about = (value: number, ci95: Interval | null) => {
    const all = insights(withRatio("otherConnection", value, ci95));
    return all.find(({ text }) => text.includes("cheap ones on another connection"))!;
  };
  const wide = about(0.84, [0.15, 6.8]);
  assertEquals(wide.tone, "neutral");
  assertStringIncludes(wide.text, "is not settled (0.84x as long as alone");
  assertStringIncludes(wide.text, "95 % interval 0.15x to 6.8x");
  assertEquals(about(30, [0.5, 60]).tone, "neutral");
  assertStringIncludes(about(0.9, null).text, "too few rounds");
  assertEquals(about(50, null).tone, "neutral");
});

Deno.test("a speedup of none is told as bad, one of all clients as good", () => {
  const toneOf = (speedup: number) => {
    const report = sampleReport("phase3");
    const metric = report.scenarios[0]!.metrics.find(({ name }) => name === "speedup") as Scalar;
    metric.value = speedup;
    return insights(report).find(({ text }) => text.includes("5 clients get"))?.tone;
  };
  assertEquals([1.05, 2, 4.7].map(toneOf), ["bad", "neutral", "good"]);
});

Deno.test("a tool's name cannot break out of a page", () => {
  const report = sampleReport("phase3");
  for (const metric of report.scenarios[0]!.metrics) {
    metric.name = metric.name.replace(/\.chat$/, `.${HOSTILE_TEXT}`);
  }
  assert(!renderHtml(report).includes("<script>alert"));
  const page = renderMarkdown(report);
  assert(!page.includes("<script>") && !page.includes("\u0000"));
});

Deno.test("no goal is met by a scenario that failed or was interrupted", () => {
  const met = (status: "passed" | "failed" | "interrupted") => {
    const report = sampleReport("phase3");
    for (const scenario of report.scenarios) scenario.status = status;
    return heavyGoals(report).map((goal) => goal.met);
  };
  assertEquals(met("passed"), [true, true, true, true, true]);
  assertEquals(met("failed"), [false, false, false, false, false]);
  assertEquals(met("interrupted"), [null, null, null, false, null]);
});

Deno.test("what failed or is not valid has no praise", () => {
  const report = sampleReport("phase3");
  for (const scenario of report.scenarios) scenario.validity.valid = false;
  const heavy = insights(report).filter(({ topic }) => topic === "heavy");
  assertEquals(heavy.filter(({ tone }) => tone === "good"), []);
});
