/**
 * What a server that freezes once does to the percentiles of an open and of a closed loop.
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
import { STATUS, targetAt } from "./targets.ts";

/** One freeze in one run. */
export interface FreezeOptions {
  ratePerSecond: number;
  runMs: number;
  freezeMs: number;
}

/** The latencies of both loops, and what arithmetic says of the open one. */
export interface FreezeFigures {
  analyticP95Ns: number;
  open: Distribution;
  closed: Distribution;
}

/**
 * The p95 of an open loop whose server answers at once, apart from one freeze: calls that fall due t after
 * its beginning wait for freeze - t, so that latencies over x are a share of (freeze - x) / run of all. That
 * is 5 % for x = freeze - 5 % of the run.
 */
function analyticP95Ns({ runMs, freezeMs }: FreezeOptions): number {
  return (freezeMs - 0.05 * runMs) * 1e6;
}

/** Runs both loops at the same rate, each against a server of its own that freezes after 40 % of the run. */
export async function runFreezeExperiment(options: FreezeOptions): Promise<FreezeFigures> {
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

/** Latency counts from the intended time. */
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

/** One call at a time; latency counts from the sending, which waits for the reply before. */
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

/** The figures side by side, in markdown. */
function renderTable({ analyticP95Ns, open, closed }: FreezeFigures): string {
  const row = (name: string, { count, p50, p95, p99, max }: Distribution) =>
    `| ${name} | ${formatCount(count)} | ${[p50, p95, p99, max].map(formatDuration).join(" | ")} |`;
  return [
    "| Loop | Calls | Median | P95 | P99 | Max |",
    "| --- | --- | --- | --- | --- | --- |",
    `| analytic, open | | | ${formatDuration(analyticP95Ns)} | | |`,
    row("open, by intended time", open),
    row("closed, depth 1", closed),
    "",
  ].join("\n");
}

if (import.meta.main) {
  const figures = await runFreezeExperiment({ ratePerSecond: 200, runMs: 8_000, freezeMs: 1_000 });
  Deno.stdout.writeSync(new TextEncoder().encode(renderTable(figures)));
}
