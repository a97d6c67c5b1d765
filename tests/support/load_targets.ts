/**
 * Holds the load drivers against what they must reach, as ratios and differences within one run:
 * `deno run -q -P=test tests/support/load_targets.ts`, on an idle machine.
 *
 * @module
 */

import { compareTurns } from "../../lib/calibrate/turns.ts";
import { runClosedLoop } from "../../lib/load/closed.ts";
import { runOpenLoop } from "../../lib/load/open.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { formatDuration, formatPercent, formatRate } from "../../lib/report/units.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { LatencyHistogram } from "../../lib/stats/histogram.ts";
import { median } from "../../lib/stats/rounds.ts";
import { STATUS, targetAt, TOKEN } from "./targets.ts";

const ROUNDS = 15;
/** Many short ones: the two loops differ by less than a noisy machine does within a second. */
const TURNS = 45;
const OPEN_ROUND_MS = 1_000;
const CLOSED_ROUND_MS = 300;
const RATE_PER_SECOND = 5_000;
const COMMON = {
  message: () => STATUS,
  clock: systemClock,
  signal: new AbortController().signal,
};

/** What one round of open and closed loop saw, in nanoseconds. */
interface Pair {
  slipP99Ns: number;
  openP50Ns: number;
  closedP50Ns: number;
}

async function openRound(
  connection: Connection,
): Promise<Pick<Pair, "slipP99Ns" | "openP50Ns">> {
  using slip = new LatencyHistogram();
  using latency = new LatencyHistogram();
  await runOpenLoop([connection], {
    ...COMMON,
    schedule: createSchedule({
      ratePerSecond: RATE_PER_SECOND,
      arrivals: "constant",
      slots: null,
      durationMs: OPEN_ROUND_MS,
      seed: 1,
    }),
    maxOutstanding: Infinity,
    ledger: openLedger(),
    onCall: ({ sentNs, endedNs }, intendedNs) => {
      slip.record(sentNs - intendedNs);
      latency.record(endedNs - intendedNs);
    },
  });
  return { slipP99Ns: slip.percentile(99), openP50Ns: latency.percentile(50) };
}

async function closedRound(connection: Connection): Promise<number> {
  using latency = new LatencyHistogram();
  await runClosedLoop(connection, {
    ...COMMON,
    inFlight: 1,
    messages: null,
    durationMs: CLOSED_ROUND_MS,
    maxRatePerSecond: null,
    onCall: ({ sentNs, endedNs }) => latency.record(endedNs - sentNs),
  });
  return latency.percentile(50);
}

/** Both loops in turn, after one round of each that is discarded. */
async function compareLoops(url: string): Promise<Pair[]> {
  using target = targetAt(url, { timeoutMs: 10_000 });
  await using connection = await target.connect(openLedger());
  const pairs: Pair[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    pairs.push({ ...await openRound(connection), closedP50Ns: await closedRound(connection) });
  }
  return pairs.slice(1);
}

function print(...cells: string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

async function printClosed(url: string): Promise<void> {
  const shape = { connections: 10, inFlight: 8 };
  const { suite, bare } = await compareTurns(url, { shape, rounds: TURNS, roundMs: 150 });
  const ratio = median(suite.map((rate, round) => rate / bare[round]!));
  const rates = [suite, bare].map((all) => formatRate(median(all)));
  print("closed loop 10 x 8 / bare loop", formatPercent(ratio), ">= 85%", rates.join(" / "));
}

async function printOpen(server: string, url: string): Promise<void> {
  const pairs = await compareLoops(url);
  const slips = pairs.map(({ slipP99Ns }) => slipP99Ns);
  const spread = `best round ${formatDuration(Math.min(...slips))}`;
  print(
    `open loop 5,000/s, ${server}: p99 slip`,
    formatDuration(median(slips)),
    "< 0.3 ms",
    spread,
  );
  const [open, closed] = [
    median(pairs.map(({ openP50Ns }) => openP50Ns)),
    median(pairs.map(({ closedP50Ns }) => closedP50Ns)),
  ];
  const difference = median(pairs.map(({ openP50Ns, closedP50Ns }) => openP50Ns - closedP50Ns));
  print(
    `open loop 5,000/s, ${server}: p50 less that of a closed loop`,
    formatDuration(difference),
    "within 0.1 ms",
    `${formatDuration(open)} / ${formatDuration(closed)}`,
  );
}

if (import.meta.main) {
  print("Target", `Median of ${ROUNDS} rounds`, "Wanted", "From");
  print("---", "---", "---", "---");
  await using nullServer = await startNullServer();
  await using server = await startEmbeddedServer(
    defaultServerOptions({ token: TOKEN, limits: "off" }),
  );
  await printClosed(nullServer.url);
  await printOpen("null server", nullServer.url);
  await printOpen("bundled server", server.url);
}
