// Runs alone: compares times.

import { assert, assertEquals } from "@std/assert";
import { metricLabel } from "../../lib/report/quantities.ts";
import type { Report } from "../../lib/schema.ts";
import { compareReports } from "../../lib/stats/compare.ts";
import { runBenchAt } from "../support/bench_run.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { repeatedFigures } from "../support/repeat_experiment.ts";
import { lacks } from "../support/permissions.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

const ignore = lacks("net", "read");

/** repeat_experiment.ts does the same with more runs of the bundled server. */
const RUNS = 5;
const CALLS_PER_SECOND = 250;

async function measure(seed: number): Promise<Report> {
  using server = await startQueueServer(CALLS_PER_SECOND);
  const { report } = await runBenchAt(server.url, {
    seed,
    epochs: 5,
    scenarios: ["message-throughput"],
    overrides: { ...NO_OVERRIDES, durationMs: 100, warmupMs: 50 },
  });
  return report;
}

Deno.test("repeated runs: intervals hold the median, nothing regresses", { ignore }, async () => {
  const reports: Report[] = [];
  for (let run = 1; run <= RUNS; run++) reports.push(await measure(run));
  const figures = repeatedFigures(reports);
  assert(figures.length > 0, "no headline metric");
  for (const { name, values, covered } of figures) {
    assertEquals(values.length, RUNS, `${name} must appear once per report`);
    // 95 % intervals: by chance, fewer than 2 of 5 occur once in 3,000 tests.
    assert(covered >= 2, `${name}: ${covered} of ${RUNS} intervals hold the median of ${values}`);
  }
  // Forced, because each run has its own server.
  const options = { noisePercent: null, bandPercent: 3, force: true };
  const { rows, regressions } = compareReports(reports.slice(0, -1), reports.at(-1)!, options);
  assert(rows.length > 0, "nothing was compared");
  assertEquals(regressions, []);
});

Deno.test("no metric appears twice in a report", { ignore }, async () => {
  const { scenarios } = await measure(1);
  const names = scenarios.flatMap(({ name, metrics }) =>
    metrics.map((metric) => `${name} ${metricLabel(metric)}`)
  );
  assertEquals(names.length, new Set(names).size);
});
