/**
 * Runs the overhead breakdown on the bundled server several times, as `bench` would, and shows what
 * each layer adds, with its interval. No interval should be wholly below zero. Run manually, for
 * about three minutes:
 *
 *   deno run -P=test tests/support/layers_experiment.ts [RUNS] [oct|nov]
 */

import { defaultServerOptions } from "../../lib/server/options.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { LAYER_NAMES } from "../../scenarios/overhead_breakdown/ladder.ts";
import { overheadBreakdown } from "../../scenarios/overhead_breakdown/mod.ts";
import { printLine } from "./print.ts";
import { metricNamed, runScenario } from "./run_scenarios.ts";
import { TOKEN } from "./targets.ts";

const [runs = "10", dialect = "oct"] = Deno.args;
/** As in the standard profile. */
const AS_RUN = { epochs: 10, leadInMs: 40 };

const below = new Map<string, number>();
for (let run = 1; run <= Number(runs); run++) {
  const options = defaultServerOptions({
    token: TOKEN,
    limits: "off",
    dialect: dialect === "nov" ? "nov" : "oct",
  });
  await using server = await startEmbeddedServer(options);
  let calls = 0;
  const report = await runScenario(overheadBreakdown, overheadBreakdown.defaults.standard, {
    url: server.url,
    ...AS_RUN,
    // The November build answers repeated calls from a cache.
    workload: () => ({ tool: "status", argsJson: `{"n":${++calls}}` }),
  });
  printLine(`run ${run}: ${report.status}, ${(report.durationMs / 1e3).toFixed(1)} s`);
  for (const layer of LAYER_NAMES) {
    const { added, p50 } = metricNamed(report, "layer", "distribution", { layer });
    const { value, ci95, share } = added!;
    const isBelow = ci95![1] < 0;
    if (isBelow) below.set(layer, (below.get(layer) ?? 0) + 1);
    const [low, high] = ci95!;
    const columns = [p50!, value, low, high].map((ns) => (ns / 1e3).toFixed(1).padStart(7));
    const percent = `${(share! * 100).toFixed(0)} %`.padStart(5);
    printLine(`  ${layer.padEnd(9)} ${columns.join(" ")} us ${percent}${isBelow ? " BELOW" : ""}`);
  }
  for (const { message } of report.validity.warnings) printLine(`  warning: ${message}`);
  for (const { name, passed, observed } of report.checks) {
    if (!passed) printLine(`  failed: ${name}: ${observed}`);
  }
}
printLine(`layers wholly below zero: ${JSON.stringify(Object.fromEntries(below))}`);
Deno.exit(below.size === 0 ? 0 : 1);
