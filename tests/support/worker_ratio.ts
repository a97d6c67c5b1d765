/**
 * Compares two workers with one against a server that does nothing, alternating within one run, on
 * an idle machine: `deno run -q -P=test --v8-flags=--expose-gc tests/support/worker_ratio.ts`.
 *
 * The server has its own thread on the same cores. With many calls in flight its frames come in
 * batches and cost it less than the client, so the client is the bottleneck, as its CPU share
 * shows. On two cores, two workers can then do 2 c / (c + s) times as much as one, where c and s
 * are the CPU time of a call in the client and in the server.
 *
 * @module
 */

import { formatPercent, formatRate, formatRatio } from "../../lib/report/units.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import { runOnWorkers } from "../../lib/split/workers.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { median } from "../../lib/stats/median.ts";
import { printRow } from "./print.ts";
import { NO_OVERRIDES, settingsAt } from "./run_scenarios.ts";

const TURNS = 7;
const CONNECTIONS = 8;
/** Per connection: enough that neither side waits for single frames, which cost system calls. */
const IN_FLIGHT = Number(Deno.args[0] ?? 16);
/** Per reply: 32 bytes of JSON each, which the client has to parse and the server only copies. */
const OUTPUTS = Number(Deno.args[1] ?? 1024);
const WORKER = new URL("../../scenarios/worker.ts", import.meta.url);

function settingsFor(url: string): RunSettings {
  return settingsAt(url, {
    token: null,
    scenarios: ["concurrent-connections"],
    epochs: 3,
    overrides: {
      ...NO_OVERRIDES,
      ...{ durationMs: 700, warmupMs: 300, connections: CONNECTIONS, inFlight: IN_FLIGHT },
    },
  });
}

async function measure(url: string, workers: number) {
  const report = await runOnWorkers(settingsFor(url), {
    workers,
    module: WORKER,
    bundled: null,
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

if (import.meta.main) {
  await using server = await startNullServer({ outputs: OUTPUTS });
  printRow("One worker", "its CPU", "Two workers", "their CPU", "Ratio");
  printRow("---", "---", "---", "---", "---");
  const ratios: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const one = await measure(server.url, 1);
    const two = await measure(server.url, 2);
    const ratio = two.ratePerSecond / one.ratePerSecond;
    ratios.push(ratio);
    const cells = [one, two].flatMap(({ ratePerSecond, clientCpu }) => [
      formatRate(ratePerSecond),
      formatPercent(clientCpu),
    ]);
    printRow(...cells, formatRatio(ratio));
  }
  printRow("", "", "", "median", formatRatio(median(ratios)));
}
