import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import { judgeReport } from "../../lib/run/judge_report.ts";
import type { Report } from "../../lib/schema.ts";
import { runBenchAt } from "../support/bench_run.ts";
import { NO_OVERRIDES, settingsAt } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited } from "../support/unlimited_server.ts";

/** A run against a server that gets slower with each call. */
async function measureAged(): Promise<Report> {
  await using server = await startUnlimited({ dialect: "oct25", slowDownMs: 0.5 });
  const { report } = await runBenchAt(server.url, {
    epochs: 5,
    ignoreLimits: true,
    scenarios: ["message-throughput"],
    overrides: { ...NO_OVERRIDES, messages: 19, warmupMs: 0 },
  });
  return report;
}

Deno.test("the first line reports that a server slows down", { ignore }, async () => {
  let report = await measureAged();
  // A machine whose speed changes in the meantime can hide the drift.
  for (let retry = 0; retry < 3 && report.drift === undefined; retry++) {
    report = await measureAged();
  }
  const { firstPerSecond, lastPerSecond, ratio } = report.drift!;
  assert(firstPerSecond! > 1.1 * lastPerSecond! && ratio > 1.1, JSON.stringify(report.drift));
  assertEquals(report.scenarios[0]!.validity.warnings.map(({ kind }) => kind), ["drift"]);
  const [first, ...screen] = renderTerminalSummary(report, { color: false, width: 300 })
    .split("\n").filter((line) => line !== "").slice(2);
  assertStringIncludes(first!, "slowed down during the run: it served");
  assertStringIncludes(screen.join("\n"), "Do not quote any number of this run (it drifts");

  const judged = judgeReport(report, { ...settingsAt(""), baselines: [report], noisePercent: 5 });
  assertEquals(judged.comparison!.rows.map(({ why }) => why).at(0), "drift");
  const compared = renderTerminalSummary(judged, { color: false, width: 300 });
  assertStringIncludes(compared, "a later run finds it slower");
  assertStringIncludes(compared, "Restart it before each run");
});
