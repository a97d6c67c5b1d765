/**
 * Counts how often `ab` and a comparison with earlier runs are right about a server and itself, one
 * whose calls take a quarter longer (4 and 5 ms), one that spins 10 us longer in a call of about
 * 100 us, and one with a tail. Run manually, for some minutes each:
 *
 *   deno run -q -P=test --v8-flags=--expose-gc tests/support/ab_experiment.ts same|quarter|spin|tail|learned [RUNS]
 *
 * @module
 */

import { runAb } from "../../lib/run/ab.ts";
import { runBench } from "../../lib/run/bench.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import type { Comparison, ComparisonRow, Report } from "../../lib/schema.ts";
import { compareReports } from "../../lib/stats/compare.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { printLine } from "./print.ts";
import { startQueueServer } from "./queue_server.ts";
import { NO_OVERRIDES, settingsAt } from "./run_scenarios.ts";
import { startSpinServer } from "./spin_server.ts";
import { TOKEN } from "./targets.ts";

const SCENARIOS = [connectionEstablishment, messageThroughput, concurrentConnections];
const HOOKS = {
  bundled: null,
  signal: new AbortController().signal,
  onWarning: () => {},
  onProgress: () => {},
  onPartialReport: () => Promise.resolve(),
};

const startReference = () =>
  startEmbeddedServer(defaultServerOptions({ token: TOKEN, limits: "off" }));

type StartServer = () => Promise<{ url: string } & (Disposable | AsyncDisposable)>;

const ONE_CLIENT: Partial<RunSettings> = {
  profile: "standard",
  scenarios: ["message-throughput"],
};

/** Two servers, and how they are measured. */
const TRIALS: Record<string, { a: StartServer; b: StartServer; settings: Partial<RunSettings> }> = {
  same: {
    a: startReference,
    b: startReference,
    settings: { profile: "standard" },
  },
  quarter: {
    a: () => startQueueServer(250),
    b: () => startQueueServer(200),
    settings: ONE_CLIENT,
  },
  spin: {
    a: () => startSpinServer({ micros: 30 }),
    b: () => startSpinServer({ micros: 40 }),
    settings: { ...ONE_CLIENT, precisionPercent: 2, maxTimeMs: 180_000 },
  },
  tail: {
    a: () => startSpinServer({ micros: 50 }),
    b: () => startSpinServer({ micros: 50, slowEvery: 50, slowMicros: 3_000 }),
    settings: { ...ONE_CLIENT, epochs: 20, overrides: { ...NO_OVERRIDES, durationMs: 400 } },
  },
};

/** For example `latency@5x1 p50`. */
function rowName({ metric, at, statistic }: ComparisonRow): string {
  const place = at === undefined ? "" : `@${Object.values(at).join("x")}`;
  return `${metric}${place} ${statistic}`;
}

/** The gating rows of a comparison in one line. */
function describe({ rows }: Comparison): string {
  return rows.filter(({ gating }) => gating).map((row) => {
    const ci = row.ci?.map((bound) => bound.toFixed(3)).join(" to ") ?? "no interval";
    return `${rowName(row)} ${((row.old ?? 0) / 1e3).toFixed(0)} us x ${
      row.ratio?.toFixed(3) ?? "-"
    } (${ci}) ${row.verdict}`;
  }).join("; ");
}

async function runPairs(name: string, runs: number): Promise<void> {
  const { a, b, settings } = TRIALS[name]!;
  const counts = new Map<string, number>();
  for (let run = 1; run <= runs; run++) {
    await using stack = new AsyncDisposableStack();
    const [one, other] = [stack.use(await a()), stack.use(await b())];
    const of = ({ url }: { url: string }) => settingsAt(url, { seed: run, ...settings });
    const report = await runAb({ a: of(one), b: of(other) }, {
      ...HOOKS,
      planned: planScenarios(SCENARIOS, of(other)),
      restart: null,
    });
    const { comparison, verdict, scenarios } = report;
    printLine(`run ${run}: exit ${verdict.exitCode}; ${describe(comparison!)}`);
    const warnings = scenarios.flatMap(({ validity }) => validity.warnings);
    for (const { message } of warnings) printLine(`  warning: ${message}`);
    for (const row of comparison!.rows.filter(({ gating }) => gating)) {
      const key = `${rowName(row)}: ${row.verdict}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  for (const [key, count] of [...counts].sort()) printLine(`${key} ${count} of ${runs}`);
}

/** Groups of four baselines, another run of that server, and one of a server a quarter slower. */
async function runLearned(groups: number): Promise<void> {
  const measure = async (capacityPerSecond: number): Promise<Report> => {
    using server = await startQueueServer(capacityPerSecond);
    const settings = settingsAt(server.url, ONE_CLIENT);
    return await runBench(settings, { ...HOOKS, planned: planScenarios(SCENARIOS, settings) });
  };
  const options = { noisePercent: null, bandPercent: 3, force: true };
  const found = { same: 0, quarter: 0 };
  for (let group = 1; group <= groups; group++) {
    const olds: Report[] = [];
    for (let run = 0; run < 4; run++) olds.push(await measure(250));
    for (const [kind, capacity] of [["same", 250], ["quarter", 200]] as const) {
      const comparison = compareReports(olds, await measure(capacity), options);
      const isSlower = comparison.regressions.length > 0;
      if (isSlower) found[kind]++;
      const smallest = comparison.rows.map((row) => row.smallest?.toFixed(3) ?? "-").join(", ");
      printLine(`group ${group}, ${kind}: ${describe(comparison)}; smallest ${smallest}`);
    }
  }
  printLine(`regressions: ${found.same} of ${groups} same, ${found.quarter} of ${groups} quarter`);
}

if (import.meta.main) {
  const [name = "same", runs = "10"] = Deno.args;
  if (name === "learned") await runLearned(Number(runs));
  else await runPairs(name, Number(runs));
  Deno.exit(0);
}
