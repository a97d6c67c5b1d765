import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import architecture from "../../docs/architecture.md" with { type: "text" };
import example from "../../examples/scenario/second_call.ts" with { type: "text" };
import { secondCall } from "../../examples/scenario/second_call.ts";
import { figurePlans } from "../../lib/report/charts/mod.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { compareReports } from "../../lib/stats/compare.ts";
import { runBenchAt } from "../support/bench_run.ts";
import { lacks } from "../support/permissions.ts";
import { NO_OVERRIDES, startReference } from "../support/run_scenarios.ts";
import { TOKEN } from "../support/targets.ts";

const ignore = lacks("net", "read");

Deno.test("example: the document shows the whole scenario, in under 40 lines", () => {
  assert(example.trimEnd().split("\n").length < 40);
  assertStringIncludes(architecture, "```ts ignore\n" + example + "```");
});

Deno.test({
  name: "example: a new scenario gets its section, its chart and its gate for free",
  ignore,
}, async () => {
  await using server = await startReference();
  const settings = {
    token: TOKEN,
    epochs: 5,
    ignoreLimits: true,
    scenarios: [secondCall.name],
    overrides: { ...NO_OVERRIDES, messages: 10, warmupMs: 0 },
  };
  const { report } = await runBenchAt(server.url, settings, [secondCall]);
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
