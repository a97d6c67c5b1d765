/**
 * Shows how one freeze of a server changes the percentiles of an open and of a closed loop.
 * `deno run -q -P=test tests/support/freeze_experiment.ts` prints the table of docs/method.md.
 *
 * @module
 */

import type { Distribution } from "../../lib/schema.ts";
import { runClosedSlice } from "../../lib/load/closed.ts";
import { runOpenLoop } from "../../lib/load/open.ts";
import { startPacer } from "../../lib/load/pacer.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { formatCount, formatDuration } from "../../lib/report/units.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { DistributionRecorder } from "../../lib/stats/summary.ts";
import { startFaultyServer } from "./faulty_server.ts";
import { printLine, printRow } from "./print.ts";
import { STATUS, targetAt } from "./targets.ts";

interface FreezeOptions {
  ratePerSecond: number;
  runMs: number;
  freezeMs: number;
}

/**
 * The p95 of an open loop whose server answers immediately, except for one freeze. A call due t
 * after the freeze starts waits for freeze - t, so a share of (freeze - x) / run of all latencies
 * is over x. That is 5 % for x = freeze - 5 % of the run.
 */
function analyticP95Ns({ runMs, freezeMs }: FreezeOptions): number {
  return (freezeMs - 0.05 * runMs) * 1e6;
}

/** Runs both loops at the same rate, each against a server that freezes after 40 % of the run. */
export async function runFreezeExperiment(options: FreezeOptions) {
  const [open, closed] = await Promise.all([
    measure(options, runOpen),
    measure(options, runClosed),
  ]);
  return { analyticP95Ns: analyticP95Ns(options), open, closed };
}

type Loop = (
  connection: Connection,
  options: FreezeOptions & { record: (ns: number) => void },
) => Promise<unknown>;

async function measure(options: FreezeOptions, loop: Loop): Promise<Distribution> {
  const freezeAt = Math.round(0.4 * options.ratePerSecond * options.runMs / 1000);
  await using server = await startFaultyServer({
    script: (call) => call === freezeAt ? { kind: "freeze", ms: options.freezeMs } : { kind: "ok" },
  });
  using target = targetAt(server.url, { timeoutMs: 10_000 });
  using latency = new DistributionRecorder();
  await using connection = await target.connect(openLedger());
  await loop(connection, { ...options, record: (ns) => latency.record(ns) });
  return latency.distribution({ name: "latency", better: "lower", role: "detail", seed: 1 })!;
}

/** Latency counts from the time that a call was due. */
const runOpen: Loop = async (connection, { ratePerSecond, runMs, record }) => {
  using pacer = await startPacer();
  const { latencyNs } = await runOpenLoop([connection], {
    message: () => STATUS,
    schedule: createSchedule({
      ratePerSecond,
      arrivals: "constant",
      slots: null,
      durationMs: runMs,
      seed: 1,
    }),
    maxOutstanding: Infinity,
    ledger: openLedger(),
    clock: systemClock,
    pacer,
    signal: new AbortController().signal,
  });
  for (const ns of latencyNs) record(ns);
};

/** One call at a time; latency counts from sending, which waits for the previous reply. */
const runClosed: Loop = async (connection, { ratePerSecond, runMs, record }) => {
  const ledger = openLedger();
  const { timesNs } = await runClosedSlice([connection], {
    message: () => STATUS,
    inFlight: 1,
    leadInNs: 0,
    messages: null,
    durationNs: runMs * 1e6,
    maxRatePerSecond: ratePerSecond,
    warmupLedger: ledger,
    ledger,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  for (const ns of timesNs) record(ns);
};

function printLoop(name: string, { count, p50, p95, p99, max }: Distribution): void {
  printRow(name, formatCount(count), ...[p50, p95, p99, max].map(formatDuration));
}

if (import.meta.main) {
  const options = { ratePerSecond: 200, runMs: 8_000, freezeMs: 1_000 };
  const { analyticP95Ns, open, closed } = await runFreezeExperiment(options);
  printLine("| Loop | Calls | Median | P95 | P99 | Max |\n| --- | --- | --- | --- | --- | --- |");
  printLine(`| analytic, open | | | ${formatDuration(analyticP95Ns)} | | |`);
  printLoop("open, by intended time", open);
  printLoop("closed, depth 1", closed);
}
