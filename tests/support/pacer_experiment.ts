/**
 * Compares the open loop with a closed loop on the same connection, alternating in one process:
 * `deno run -q -P=test tests/support/pacer_experiment.ts`. Takes under a minute.
 *
 * @module
 */

import { systemClock } from "../../lib/client/clock.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { runClosedSlice } from "../../lib/load/closed.ts";
import { runOpenLoop } from "../../lib/load/open.ts";
import { startPacer, type ThreadPacer } from "../../lib/load/pacer.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import { formatDuration, formatPercent, formatRatio } from "../../lib/report/units.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { median } from "../../lib/stats/median.ts";
import { printRow } from "./print.ts";
import { STATUS, targetAt, TOKEN } from "./targets.ts";

const PAIRS = 7;
const ROUND_MS = 600;
const LEAD_IN_MS = 50;
const RATES_PER_SECOND = [2_000, 5_000];
const COMMON = {
  message: () => STATUS,
  clock: systemClock,
  signal: new AbortController().signal,
};

/** One round of the open loop and one of the closed loop. */
interface Pair {
  openNs: number;
  closedNs: number;
  slipP50Ns: number;
  slipP99Ns: number;
  /** Shares of the open loop's time. */
  spun: number;
  busy: number;
}

function quantile(values: Float64Array, share: number): number {
  return values.toSorted()[Math.floor(share * (values.length - 1))]!;
}

async function measurePair(
  connection: Connection,
  { pacer, ratePerSecond }: { pacer: ThreadPacer; ratePerSecond: number },
): Promise<Pair> {
  const [spunNs, cpu] = [pacer.spunNs, process.threadCpuUsage()];
  const open = await runOpenLoop([connection], {
    ...COMMON,
    pacer,
    schedule: createSchedule({
      ratePerSecond,
      arrivals: "constant",
      slots: null,
      durationMs: ROUND_MS,
      seed: 1,
    }),
    leadInNs: LEAD_IN_MS * 1e6,
    maxOutstanding: Infinity,
    ledger: openLedger(),
  });
  const used = process.threadCpuUsage(cpu);
  return {
    openNs: quantile(open.serviceNs, 0.5),
    closedNs: await closedP50Ns(connection),
    slipP50Ns: quantile(open.slipNs, 0.5),
    slipP99Ns: quantile(open.slipNs, 0.99),
    spun: (pacer.spunNs - spunNs) / (ROUND_MS * 1e6),
    busy: (used.user + used.system) / (ROUND_MS * 1e3),
  };
}

async function closedP50Ns(connection: Connection): Promise<number> {
  const ledger = openLedger();
  const { timesNs } = await runClosedSlice([connection], {
    ...COMMON,
    inFlight: 1,
    leadInNs: LEAD_IN_MS * 1e6,
    messages: null,
    durationNs: (ROUND_MS - LEAD_IN_MS) * 1e6,
    maxRatePerSecond: null,
    warmupLedger: ledger,
    ledger,
  });
  return quantile(timesNs, 0.5);
}

async function compareLoops(name: string, url: string, ratePerSecond: number): Promise<void> {
  using target = targetAt(url, { timeoutMs: 10_000 });
  await using connection = await target.connect(openLedger());
  using pacer = await startPacer();
  const pairs: Pair[] = [];
  for (let pair = 0; pair <= PAIRS; pair++) {
    pairs.push(await measurePair(connection, { pacer, ratePerSecond }));
  }
  const measured = pairs.slice(1);
  const middle = (of: (pair: Pair) => number) => median(measured.map(of));
  const ratios = measured.map(({ openNs, closedNs }) => openNs / closedNs).sort((a, b) => a - b);
  const [openNs, closedNs] = [middle((pair) => pair.openNs), middle((pair) => pair.closedNs)];
  printRow(
    `${name}, ${ratePerSecond}/s`,
    `${formatDuration(openNs)} / ${formatDuration(closedNs)}`,
    `${formatRatio(median(ratios))} (${formatRatio(ratios[0]!)} to ${formatRatio(ratios.at(-1)!)})`,
    formatDuration(middle(({ slipP50Ns }) => slipP50Ns)),
    formatDuration(middle(({ slipP99Ns }) => slipP99Ns)),
    formatPercent(middle(({ spun }) => spun)),
    formatPercent(middle(({ busy }) => busy)),
    formatDuration(pacer.leadNs),
  );
}

if (import.meta.main) {
  const titles = ["Server", "p50 open / closed", "Ratio", "Slip p50", "Slip p99"];
  printRow(...titles, "Spun", "Thread's CPU", "Lead");
  printRow(...Array(titles.length + 3).fill("---"));
  await using nullServer = await startNullServer();
  await using server = await startEmbeddedServer(
    defaultServerOptions({ token: TOKEN, limits: "off" }),
  );
  for (const ratePerSecond of RATES_PER_SECOND) {
    await compareLoops("null server", nullServer.url, ratePerSecond);
    await compareLoops("bundled server", server.url, ratePerSecond);
  }
}
