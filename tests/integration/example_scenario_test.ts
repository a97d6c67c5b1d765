import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import architecture from "../../docs/architecture.md" with { type: "text" };
import example from "../../examples/scenario/second_call.ts" with { type: "text" };
import { secondCall } from "../../examples/scenario/second_call.ts";
import { figurePlans } from "../../lib/report/charts/mod.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { runBench } from "../../lib/run/bench.ts";
import { compareReports } from "../../lib/stats/compare.ts";
import { NO_OVERRIDES, settingsAt, startReference } from "../support/run_scenarios.ts";

const ignore = (["net", "read"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

Deno.test("example: the document shows the scenario as it is, in under 40 lines", () => {
  assert(example.trimEnd().split("\n").length < 40);
  assertStringIncludes(architecture, "```ts ignore\n" + example + "```");
});

Deno.test({
  name: "example: a scenario of its own has its section, its chart and its gate for free",
  ignore,
}, async () => {
  await using server = await startReference();
  const settings = settingsAt(server.url, {
    epochs: 5,
    ignoreLimits: true,
    scenarios: [secondCall.name],
    overrides: { ...NO_OVERRIDES, messages: 10, warmupMs: 0 },
  });
  const report = await runBench(settings, {
    scenarios: [secondCall],
    bundled: null,
    signal: new AbortController().signal,
    onWarning: () => {},
    onProgress: () => {},
    onPartialReport: () => Promise.resolve(),
  });
  const [scenario] = report.scenarios;
  assertEquals([scenario!.status, scenario!.ledger.ok], ["passed", 5 * 2 * 10]);
  assertEquals(scenario!.metrics.find(({ name }) => name === "gain")!.epochs.length, 5);

  const document = buildDocument(report, { charts: new Map(), audience: "page" });
  const page = renderMarkdown(document, { chartPath: () => null });
  assertMatch(page, new RegExp(`^#+ ${secondCall.title}`, "m"));
  assertStringIncludes(page, secondCall.question);
  const figure = figurePlans(report).get(secondCall.name)!;
  assertStringIncludes(figure.title, "Peak throughput: ");

  const options = { noisePercent: 5, bandPercent: 3, force: true };
  const { rows } = compareReports([report], report, options);
  const gating = rows.filter((row) => row.gating).map(({ metric, at }) => ({ metric, at }));
  assertEquals(gating, [{ metric: "throughput", at: { inFlight: 2 } }]);
});
