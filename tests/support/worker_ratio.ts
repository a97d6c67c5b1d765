/**
 * What two workers do over one, against a server that does nothing, in turns within one run:
 * `deno run -q -P=test --v8-flags=--expose-gc tests/support/worker_ratio.ts`, on an idle machine.
 *
 * @module
 */

import type { Report } from "../../lib/contract.ts";
import { formatPercent, formatRate } from "../../lib/report/units.ts";
import type { RunSettings } from "../../lib/run/configured.ts";
import { runOnWorkers } from "../../lib/shard/workers.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { median } from "../../lib/stats/rounds.ts";

const TURNS = 7;
const CONNECTIONS = Number(Deno.args[0] ?? 64);
const WORKER = new URL("../../worker.ts", import.meta.url);

function settingsFor(url: string): RunSettings {
  return {
    ...{ url, embedded: false, token: null, protocol: "exai", headers: {}, subprotocols: [] },
    ...{ caCert: null, timeoutMs: 10_000, tool: null, toolArgsJson: "{}", profile: "quick" },
    scenarios: ["concurrent-connections"],
    overrides: {
      ...{ rounds: 3, durationMs: 700, warmupMs: 300, messages: null, connections: CONNECTIONS },
      ...{ payloadBytes: null, inFlight: null, ratePerSecond: null, arrivals: null },
      ...{ maxOutstanding: null, sloMs: null },
    },
    ...{ maxRatePerSecond: null, seed: 1, unitBaselinePerSecond: 1000, shard: null },
    ...{ startAtMs: null, thresholds: [], baseline: null, noisePercent: 3, force: false },
    ...{ strict: false, suite: { name: "", version: "", commit: null }, command: [] },
  };
}

/** The throughput and the busiest client thread's share of a core. */
interface Seen {
  ratePerSecond: number;
  clientCpu: number | null;
}

async function measure(url: string, workers: number): Promise<Seen> {
  const report: Report = await runOnWorkers(settingsFor(url), {
    workers,
    module: WORKER,
    signal: new AbortController().signal,
    onWarning: () => {},
    onProgress: () => {},
    onPartialReport: () => Promise.resolve(),
    onLost: (message) => {
      throw new Error(message);
    },
  });
  const [scenario] = report.scenarios;
  const throughput = scenario!.metrics.find(({ name }) => name === "throughput");
  if (throughput?.kind !== "scalar") throw new Error(JSON.stringify(report.verdict));
  return { ratePerSecond: throughput.value, clientCpu: scenario!.validity.clientCpu };
}

function print(...cells: string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

if (import.meta.main) {
  await using server = await startNullServer();
  print("One worker", "its CPU", "Two workers", "the busier's CPU", "Ratio");
  print("---", "---", "---", "---", "---");
  const ratios: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const one = await measure(server.url, 1);
    const two = await measure(server.url, 2);
    ratios.push(two.ratePerSecond / one.ratePerSecond);
    print(
      ...[one, two].flatMap((
        seen,
      ) => [formatRate(seen.ratePerSecond), formatPercent(seen.clientCpu)]),
      ratios.at(-1)!.toFixed(2),
    );
  }
  print("", "", "", "median", median(ratios).toFixed(2));
}
