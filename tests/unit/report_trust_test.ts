import { assertEquals, assertStringIncludes } from "@std/assert";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { nextSteps } from "../../lib/report/next_steps.ts";
import { trustVerdict } from "../../lib/report/trust.ts";
import { sampleReport } from "../support/sample_report.ts";

Deno.test("a run in which all went well can be trusted, with the calls that were served", () => {
  const { tone, text } = trustVerdict(sampleReport("passed"));
  assertEquals(tone, "good");
  assertStringIncludes(text, "each of the 6 scenarios that ran passed every check, all 770 calls");
});

Deno.test("what failed, was cut short or is not valid is named, and the rest is counted", () => {
  const report = sampleReport("failed");
  assertEquals(trustVerdict(report), {
    tone: "bad",
    text: "Do not quote the numbers of Message Throughput (failed), Concurrent Connections " +
      "(not valid); those of the other 4 can be used.",
  });
  report.scenarios = report.scenarios.slice(1, 3);
  report.scenarios[0]!.status = "interrupted";
  assertEquals(
    trustVerdict(report).text,
    "Do not quote the numbers of Message Throughput (interrupted), Concurrent Connections " +
      "(not valid).",
  );
});

Deno.test("without numbers there is nothing to trust", () => {
  const expected = { tone: "bad", text: "There are no numbers: nothing was measured." } as const;
  assertEquals(trustVerdict(sampleReport("preflight_failure")), expected);
  const report = sampleReport("passed");
  report.scenarios.forEach((scenario) => scenario.status = "skipped");
  assertEquals(trustVerdict(report), expected);
});

Deno.test("the first screen says whether to trust it, what is wrong and what to do next", () => {
  for (const kind of ["passed", "failed", "compared", "preflight_failure"] as const) {
    const report = sampleReport(kind);
    const first = renderMarkdown(report).split("\n---\n")[0]!;
    const places = [
      "Calls of the tool",
      "**Can it be trusted?**",
      "| Metric | Result |",
      "**What is wrong:**",
      "**What to do next:**",
    ]
      .map((text) => first.indexOf(text));
    assertEquals(places, places.toSorted((a, b) => a - b));
    assertEquals(places.includes(-1), false);
    assertStringIncludes(first, `1. ${nextSteps(report)[0]!.slice(0, 20)}`);
  }
});

Deno.test("a sixth finding has no room in the summary, and its place is told", () => {
  const report = sampleReport("failed");
  report.verdict.reasons = Array.from({ length: 7 }, (_, index) => ({
    code: 1,
    scenario: null,
    message: `reason ${index + 1}`,
  }));
  const page = renderMarkdown(report);
  const [summary, accounting] = [page.split("\n---\n")[0]!, page.split("### Further findings")[1]!];
  assertStringIncludes(summary, "- ❌ reason 5\n- and 5 more, under Accounting in report.md");
  assertEquals(summary.includes("reason 6"), false);
  assertStringIncludes(accounting, "- ❌ reason 6\n- ❌ reason 7");
  assertEquals(renderMarkdown(sampleReport("failed")).includes("Further findings"), false);
});

Deno.test("a missed threshold and a regression have their next step", () => {
  const steps = nextSteps(sampleReport("compared"));
  assertStringIncludes(steps[0]!, "thresholds that were missed");
  assertStringIncludes(steps[1]!, "become slower");
});
