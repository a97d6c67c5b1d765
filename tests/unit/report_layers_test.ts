import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, Report } from "../../lib/schema.ts";
import { insights } from "../../lib/report/insights.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { layerNotes, layerRows, layerSentence } from "../../lib/report/layers.ts";
import { pyramidRatio } from "../../lib/report/pyramid.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { mainDistribution } from "../../lib/report/scenario_names.ts";
import { candidatesOf } from "../../lib/stats/gating.ts";
import { sampleReport } from "../support/sample_report.ts";

/** The layers of a report, to be changed. */
function layersOf(report: Report): Distribution[] {
  const { metrics } = report.scenarios.find(({ name }) => name === "overhead-breakdown")!;
  return metrics.filter((metric): metric is Distribution => metric.name.startsWith("layer."));
}

function rowOf(report: Report, label: string): string[] {
  const row = layerRows(report).find(([name]) => name === label);
  assert(row !== undefined, `no row ${label}`);
  return row;
}

Deno.test("the pyramid is the ratio of the medians of three calls", () => {
  const report = sampleReport("layered");
  const [dispatch, , , webSocket, , tool] = layersOf(report).map(({ added }) => added!.call);
  const expected = [1, webSocket! / dispatch!, tool! / dispatch!].map((ratio) =>
    Math.round(ratio).toLocaleString("en-US")
  ).join(" : ");
  assertEquals(pyramidRatio(report), expected);
  const page = renderMarkdown(report);
  assertStringIncludes(page, `**Unit : integration : end-to-end = ${expected}**`);
  assertStringIncludes(renderHtml(report), `unit : integration : end-to-end = ${expected}`);
  const rates = [dispatch, webSocket, tool].map((ns) =>
    `${Math.round(1e9 / ns!).toLocaleString("en-US")} msg/s`
  );
  for (const rate of rates) assertStringIncludes(page, rate);
});

Deno.test("a layer whose interval holds nothing is said to be noise, and told as measured", () => {
  const report = sampleReport("layered");
  const row = rowOf(report, "The tool");
  assertEquals([row[3], row.at(-1)], ["-1.00 µs", "cannot be told from noise"]);
  assertEquals(rowOf(report, "The server's routing").at(-1), "");
  assertStringIncludes(layerSentence(report), "tool lost in the noise");
  const [, codec] = layersOf(report);
  for (const [ci95, remark] of [[[0, 9], "noise"], [[1, 9], ""], [[-9, -1], ""]] as const) {
    codec!.added!.ci95 = [...ci95];
    const last = rowOf(report, "JSON, encoded and decoded").at(-1)!;
    assertEquals(last.includes("cannot be told from noise"), remark !== "", `${ci95}`);
  }
  Object.assign(codec!.added!, { value: -5, ci95: [-9, -1] });
  assertStringIncludes(
    rowOf(report, "JSON, encoded and decoded").at(-1)!,
    "faster than without it",
  );
  codec!.added!.ci95 = null;
  assertStringIncludes(rowOf(report, "JSON, encoded and decoded").at(-1)!, "too few rounds");
});

Deno.test("what was not measured on another server is marked so, on the bundled one nothing is", () => {
  const report = sampleReport("layered");
  const marked = () => layerRows(report).map((row) => row.at(-1)!.includes("not on the target"));
  assertEquals(marked(), [true, true, true, true, false, false, false]);
  assertStringIncludes(layerNotes(report).join("\n"), "The network to the target is part");
  report.target = { ...report.target, kind: "embedded", url: "ws://127.0.0.1:1" };
  assertEquals(marked(), Array(7).fill(false));
  assert(!layerNotes(report).join("\n").includes("network to the target"));
});

Deno.test("the rows sum up, beside the whole call", () => {
  const report = sampleReport("layered");
  const added = layersOf(report).map(({ added }) => added!);
  const sumNs = added.reduce((sum, { value }) => sum + value, 0);
  assertEquals(rowOf(report, "Sum of the layers").slice(2, 6), [
    `${(added.at(-1)!.call / 1e6).toFixed(2)} ms`,
    `${(sumNs / 1e6).toFixed(2)} ms`,
    "–",
    "100%",
  ]);
  added[2]!.value += 0.1 * added.at(-1)!.call;
  assertEquals(rowOf(report, "Sum of the layers")[5], "110.0%");
});

Deno.test("bars begin where the layer below ends, and no row has none", () => {
  for (const [, bar] of layerRows(sampleReport("layered")).slice(0, -1)) {
    assert(/^░*█+░*$/.test(bar!) && bar!.length === 20, bar);
  }
});

Deno.test("a server that shows no routing has it together with its tool", () => {
  const report = sampleReport("layered");
  const scenario = report.scenarios.at(-1)!;
  scenario.metrics = scenario.metrics.filter(({ name }) => name !== "layer.routing");
  assertEquals(layerRows(report).map(([label]) => label).slice(-2), [
    "The server's routing and the tool",
    "Sum of the layers",
  ]);
});

Deno.test("causes have figures where they were measured, and only there", () => {
  const page = renderMarkdown(sampleReport("layered"));
  const json = "JSON 4.30 µs (0.5%), TCP 33.0 µs (3.9%)";
  assertStringIncludes(page, json);
  assertStringIncludes(page, "The server itself reports 0.10 ms for a call");
  const options = { color: false, width: 400 };
  assertStringIncludes(renderTerminalSummary(sampleReport("layered"), options), json);
  const without = sampleReport("passed");
  assertEquals([layerRows(without), layerNotes(without), pyramidRatio(without)], [[], [], null]);
  assertStringIncludes(renderMarkdown(without), "is not measured in this run");
  assert(!renderHtml(without).includes("Where the time of a call goes"));
});

Deno.test("layers of a scenario that is not valid, or has not passed, are said to be no good", () => {
  const said = (report: Report) => [
    layerNotes(report).some((note) => note.startsWith("These figures are not to be relied on")),
    insights(report).find(({ topic }) => topic === "layers")?.tone,
  ];
  const [failed, invalid] = [sampleReport("layered"), sampleReport("layered")];
  assertEquals(said(failed), [false, "neutral"]);
  failed.scenarios.at(-1)!.status = "failed";
  assertEquals(said(failed), [true, "bad"]);
  invalid.scenarios.at(-1)!.validity.valid = false;
  assertEquals(said(invalid), [true, "bad"]);
});

Deno.test("the whole call stands for its layers, in summaries and in comparisons", () => {
  const scenario = sampleReport("layered").scenarios.at(-1)!;
  assertEquals(mainDistribution(scenario)?.name, "layer.tool");
  const rows = candidatesOf(scenario, scenario).map(({ metric, statistic }) => [metric, statistic]);
  assertEquals(rows, [["layer.tool", "p50"]]);
});
