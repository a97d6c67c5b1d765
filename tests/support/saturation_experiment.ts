/**
 * Searches for the sustainable rate of servers of known capacity, ten times in all, in about ten
 * minutes: `deno run -q -P=test tests/support/saturation_experiment.ts [constant]`. Each rate should
 * be within 5 % of the capacity, and never above it.
 *
 * @module
 */

import { saturation } from "../../scenarios/saturation.ts";
import { printLine } from "./print.ts";
import { startQueueServer } from "./queue_server.ts";
import { metricNamed, runScenario } from "./run_scenarios.ts";

const SEARCHES = [[300, 3], [1_000, 4], [3_000, 3]] as const;
/**
 * In service times. With random arrivals a p99 of 300 is met up to 99 % of the capacity, because
 * the waiting time in such a queue (M/D/1) decays as exp(-2 (1 - load) t / service time).
 */
const SLO_SERVICES = 300;

const arrivals = Deno.args[0] === "constant" ? "constant" : "poisson";
let good = 0;
for (const [capacityPerSecond, searches] of SEARCHES) {
  using server = await startQueueServer(capacityPerSecond);
  const startMs = performance.now();
  const report = await runScenario(saturation, {
    searches,
    arrivals,
    ratePerSecond: 200,
    sloMs: SLO_SERVICES * 1000 / capacityPerSecond,
    durationMs: 1_000,
    confirmMs: 10_000,
  }, server);
  const { epochs } = metricNamed(report, "sustainableRate", "scalar");
  const shares = epochs.map((rate) => rate / capacityPerSecond);
  good += shares.filter((share) => share >= 0.95 && share <= 1).length;
  printLine(
    `${capacityPerSecond}/s, ${arrivals}: found ${epochs.join(", ")}, ` +
      `${shares.map((share) => `${(100 * share).toFixed(1)} %`).join(", ")} of it, ` +
      `met share ${metricNamed(report, "metShare", "scalar").epochs.join(", ")}, ` +
      `${((performance.now() - startMs) / 1e3).toFixed(0)} s, ` +
      `warnings: ${report.validity.warnings.map(({ message }) => message).join("; ") || "none"}`,
  );
}
printLine(`${good} of ${SEARCHES.reduce((sum, [, searches]) => sum + searches, 0)} within 5 %`);
