/**
 * What two workers do over one, against a server that does nothing, in turns within one run:
 * `deno run -q -P=test --v8-flags=--expose-gc tests/support/worker_ratio.ts`, on an idle machine.
 *
 * The server has a thread of its own on the same cores. With deep windows its frames come in batches and cost
 * it less than the client, so that the client is the limit: its CPU share says so. On two cores the two
 * workers can then do 2 c / (c + s) times as much as one, for c and s of CPU that a call costs client and
 * server.
 *
 * @module
 */

import type { Report } from "../../lib/schema.ts";
import { formatPercent, formatRate, formatRatio } from "../../lib/report/units.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import { runOnWorkers } from "../../lib/split/workers.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { median } from "../../lib/stats/median.ts";
import { NO_OVERRIDES, settingsAt } from "./run_scenarios.ts";

const TURNS = 7;
const CONNECTIONS = 8;
/** Of each connection: enough that neither side waits for single frames, which the kernel makes dear. */
const IN_FLIGHT = Number(Deno.args[0] ?? 16);
/** Of each reply: 32 bytes of JSON each, which the client has to parse and the server only to copy. */
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

interface Measured {
  /** Successes a second, the geometric mean of the epochs. */
  ratePerSecond: number;
  /** What the run says of its client: its thread's share of a core, of several workers of their cores. */
  clientCpu: number | null;
}

async function measure(url: string, workers: number): Promise<Measured> {
  const report: Report = await runOnWorkers(settingsFor(url), {
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

function print(...cells: string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

if (import.meta.main) {
  await using server = await startNullServer({ outputs: OUTPUTS });
  print("One worker", "its CPU", "Two workers", "their CPU", "Ratio");
  print("---", "---", "---", "---", "---");
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
    print(...cells, formatRatio(ratio));
  }
  print("", "", "", "median", formatRatio(median(ratios)));
}
