/**
 * Runs the breakdown of a call on the bundled server several times, each run as `bench` would, and shows for each layer
 * what it adds with its interval, and whether that lies wholly below zero, which no layer's may. To be run by hand, for
 * about three minutes:
 *
 *   deno run -P=test tests/support/layers_experiment.ts [RUNS] [oct|nov]
 */

import { defaultServerOptions } from "../../lib/server/options.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { LAYER_NAMES } from "../../scenarios/overhead_breakdown/ladder.ts";
import { overheadBreakdown } from "../../scenarios/overhead_breakdown/mod.ts";
import { metricNamed, runScenario } from "./run_scenarios.ts";
import { TOKEN } from "./targets.ts";

function write(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const [runs = "10", dialect = "oct"] = Deno.args;
/** As a run of the standard profile has them. */
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
    // The build of November answers a call that it has seen before from a cache.
    workload: () => ({ tool: "status", argsJson: `{"n":${++calls}}` }),
  });
  write(`run ${run}: ${report.status}, ${(report.durationMs / 1e3).toFixed(1)} s`);
  for (const layer of LAYER_NAMES) {
    const { added, p50 } = metricNamed(report, "layer", "distribution", { layer });
    const { value, ci95, share } = added!;
    const isBelow = ci95![1] < 0;
    if (isBelow) below.set(layer, (below.get(layer) ?? 0) + 1);
    const [low, high] = ci95!;
    const columns = [p50!, value, low, high].map((ns) => (ns / 1e3).toFixed(1).padStart(7));
    const percent = `${(share! * 100).toFixed(0)} %`.padStart(5);
    write(
      `  ${layer.padEnd(9)} ${columns.join(" ")} us ${percent}${isBelow ? " BELOW" : ""}`,
    );
  }
  for (const { message } of report.validity.warnings) write(`  warning: ${message}`);
  for (const { name, passed, observed } of report.checks) {
    if (!passed) write(`  failed: ${name}: ${observed}`);
  }
}
write(`layers wholly below zero: ${JSON.stringify(Object.fromEntries(below))}`);
Deno.exit(below.size === 0 ? 0 : 1);
