import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { insights } from "../../lib/report/insights.ts";
import { findScenario } from "../../lib/report/lookup.ts";
import { sweepTable } from "../../lib/report/sweeps.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { sampleReport, sampleScenario } from "../support/sample_report.ts";

function scenarioOf(name: string, parts: Partial<ScenarioReport> = {}): ScenarioReport {
  const scenario = findScenario(sampleReport("sweeps"), name);
  assert(scenario !== undefined);
  return { ...scenario, ...parts };
}

/** The scenario without the metrics of these names. */
function without(scenario: ScenarioReport, ...names: string[]): ScenarioReport {
  return { ...scenario, metrics: scenario.metrics.filter(({ name }) => !names.includes(name)) };
}

Deno.test("each number of clients has a row with what it got and what the law gives", () => {
  const table = sweepTable(scenarioOf("scaling"));
  // By hand: 1870 / 2000, 3080 / 4000 and 3770 / 8000.
  assertEquals(table?.rows, [
    ["1", "1,000 msg/s", "100%", "0.82 ms", "–", "1,000 msg/s"],
    ["2", "1,870 msg/s", "93.5%", "0.82 ms", "–", "1,869 msg/s"],
    ["4", "3,080 msg/s", "77.0%", "0.82 ms", "–", "3,077 msg/s"],
    ["8", "3,770 msg/s", "47.1%", "0.82 ms", "–", "3,774 msg/s"],
  ]);
  assertEquals(table?.sentences, [
    "By the Universal Scalability Law (R² 0.999) one client gets 1,000 msg/s, 4.0% of the work is " +
    "done for one client at a time (contention), and keeping each client consistent with each other " +
    "one costs 1.5% of a call (coherency).",
    "The most is reached with about 8 connections: 3,774 msg/s.",
  ]);
});

Deno.test("a peak that is not settled, not measured or not there is told as such", () => {
  const scenario = scenarioOf("scaling");
  const unsettled = scenario.metrics.map((metric) =>
    metric.name === "peakConcurrency" && metric.kind === "scalar"
      ? { ...metric, value: 7.94, ci95: null }
      : metric
  );
  assertEquals(
    sweepTable({ ...scenario, metrics: unsettled })?.sentences[1],
    "The most is reached with about 7.9 connections: 3,774 msg/s, but the rounds do not settle that " +
      "the peak is within what was measured.",
  );
  const notMeasured = [{ name: "peak concurrency", reason: "beyond what was measured" }];
  const beyond = without({ ...scenario, notMeasured }, "peakConcurrency", "peakThroughput");
  assertEquals(
    sweepTable(beyond)?.sentences[1],
    "The number of clients with the most throughput: beyond what was measured.",
  );
});

Deno.test("a law that the client bounded is told as such", () => {
  const validity = {
    valid: false,
    clientCpu: 0.95,
    loopLagP99Ns: null,
    warnings: ["client-bound"],
  };
  assertEquals(
    sweepTable(scenarioOf("scaling", { validity }))?.sentences.at(-1),
    "These numbers are not the server's alone: see the warning.",
  );
});

Deno.test("where no law was fitted the sentence says why, and there is no number", () => {
  const refused = without(
    scenarioOf("scaling", { notMeasured: [{ name: "scaling law", reason: "R² is 0.42" }] }),
    ...["singleRate", "contention", "coherency", "peakConcurrency", "peakThroughput"],
    ...[1, 2, 4, 8].map((clients) => `fitted@${clients}`),
  );
  const table = sweepTable(refused);
  assertEquals(table?.sentences, [
    "No scalability law is fitted, and no peak foretold: R² is 0.42.",
  ]);
  assertEquals(table?.rows.map((row) => row[5]), ["–", "–", "–", "–"]);
});

Deno.test("each size has a row in MB/s of 1,000,000 bytes, with its share of the client's floor", () => {
  const table = sweepTable(scenarioOf("payload-size"));
  // By hand: 64 x 12,000 = 768,000 B/s; 1,024 x 22.7 = 23,245 B/s; 1,048,576 x 400 = 419.4 MB/s.
  assertEquals(table?.rows, [
    ["64 B", "12,000 msg/s", "0.77 MB/s", "0.82 ms", "–", "25.0%"],
    ["1.0 KiB", "23 msg/s", "0.02 MB/s", "0.82 ms", "–", "99.6%"],
    ["1.0 MiB", "400 msg/s", "419 MB/s", "0.82 ms", "–", "40.0%"],
  ]);
  assertEquals(table?.sentences, ["A payload of 4.0 MiB was served, one of 16.0 MiB was not."]);
  const unlimited = without(scenarioOf("payload-size"), "smallestRefused");
  assertEquals(sweepTable(unlimited)?.sentences, ["Every payload was served, up to 4.0 MiB."]);
});

Deno.test("other scenarios, and sweeps without a step, have no table", () => {
  assertEquals(sweepTable(sampleScenario("message-throughput")), null);
  assertEquals(sweepTable(sampleScenario("scaling")), null);
  assertEquals(sweepTable(sampleScenario("payload-size")), null);
});

Deno.test("what the sweeps say is among the insights, and in the terminal", () => {
  const report = sampleReport("sweeps");
  const texts = insights(report).map(({ text }) => text).join("\n");
  const terminal = renderTerminalSummary(report, { color: false, width: 100 });
  assertStringIncludes(texts, "The most is reached with about 8 connections: 3,774 msg/s.");
  assertStringIncludes(texts, "A payload of 4.0 MiB was served, one of 16.0 MiB was not.");
  assertStringIncludes(terminal, "      8  3,770 msg/s       47.1%");
});
