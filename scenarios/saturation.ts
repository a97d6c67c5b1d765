import type { Connection } from "../lib/client/connection.ts";
import type { Miss } from "../lib/load/objective.ts";
import { type RateSearchResult, type RateTrial, searchRate } from "../lib/load/rate_search.ts";
import { runRateTrial } from "../lib/load/rate_trial.ts";
import type { Arrivals } from "../lib/load/schedule.ts";
import { ConnectionPool } from "../lib/run/connection_pool.ts";
import {
  type Parameters,
  type Procedure,
  type Recording,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";

interface SaturationParameters extends Parameters {
  /** The p99 that must be met, from the intended time of sending. */
  sloMs: number;
  connections: number;
  searches: number;
  /** Where the first search begins. */
  ratePerSecond: number;
  /** No other rates are tried. */
  lowestRatePerSecond: number;
  highestRatePerSecond: number;
  arrivals: Arrivals;
  /** Of a run at one rate, and of one that confirms the answer. */
  durationMs: number;
  confirmMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<SaturationParameters>;

/** Searches after the first begin at this share of what was found. */
const HEAD_START = 0.7;
/** About how many runs a search takes, and how many to confirm its answer. */
const RUNS = 20;
const CONFIRMATIONS = 5;
/** Of each run; counts as warm-up. */
const LEAD_IN_MS = 200;
/** A server that is slow to empty its queues makes runs longer: a search ends after so many times what is planned. */
const MOST_OVERTIME = 4;

const COMMON = {
  sloMs: 50,
  connections: 5,
  ratePerSecond: 200,
  lowestRatePerSecond: 1,
  highestRatePerSecond: 100_000,
  arrivals: "poisson",
  payloadBytes: 0,
} as const;

export const saturation: Procedure<SaturationParameters> = {
  kind: "procedure",
  name: "saturation",
  title: "Saturation",
  question: "What is the highest rate of calls that the server sustains within the objective?",
  metrics: {
    sustainableRate: { kind: "scalar", unit: "calls/s", better: "higher" },
    metShare: { kind: "scalar", unit: "", better: null },
    latency: TIMES,
    throughput: THROUGHPUT,
  },
  headline: { metric: "sustainableRate" },
  gates: [{ metric: "sustainableRate" }],
  profiles: ["thorough"],
  takes: (parameters) => ({ onceMs: parameters.searches * searchMs(parameters) }),
  defaults: {
    quick: { ...COMMON, searches: 1, durationMs: 300, confirmMs: 1_000 },
    standard: { ...COMMON, searches: 3, durationMs: 1_000, confirmMs: 3_000 },
    thorough: { ...COMMON, searches: 5, durationMs: 1_000, confirmMs: 10_000 },
  },
  overloads: true,
  paced: true,

  begin: (context) => ({ conclude: () => search(context) }),
};

/** About how long one search takes. */
function searchMs({ durationMs, confirmMs }: SaturationParameters): number {
  return RUNS * (durationMs + LEAD_IN_MS) + CONFIRMATIONS * confirmMs;
}

async function search(context: Context): Promise<void> {
  const { target, warmupLedger, parameters, clock } = context;
  const { connections: count, searches } = parameters;
  await using pool = new ConnectionPool(target, warmupLedger);
  await pool.open([{ record: context, most: count, establish: null }]);
  const { connections } = pool;
  if (connections.length < count) return;
  let first = parameters.ratePerSecond;
  let runs = 0;
  for (let nth = 0; nth < searches; nth++) {
    context.progress(nth, searches);
    const endNs = clock.nowNs() + MOST_OVERTIME * searchMs(parameters) * 1e6;
    const result = await searchRate({
      mayGoOn: () => clock.nowNs() < endNs,
      first,
      lowest: parameters.lowestRatePerSecond,
      highest: parameters.highestRatePerSecond,
      run: (ratePerSecond, { confirms }) =>
        tryRate(context, connections, { ratePerSecond, confirms, nth: runs++ }),
    });
    recordSearch(context, result);
    if (clock.nowNs() >= endNs) {
      const seconds = Math.round(MOST_OVERTIME * searchMs(parameters) / 1e3);
      context.notMeasured("limit of the server", `the search was ended after ${seconds} s`);
    }
    if (result.sustainedPerSecond === null || result.limit.kind === "gone") return;
    first = HEAD_START * result.sustainedPerSecond;
  }
}

/** One run at one rate, which is a point of the curve. */
async function tryRate(
  context: Context,
  connections: readonly Connection[],
  { ratePerSecond, confirms, nth }: { ratePerSecond: number; confirms: boolean; nth: number },
): Promise<RateTrial> {
  const { sloMs, arrivals, durationMs, confirmMs } = context.parameters;
  const { result, ...trial } = await runRateTrial(connections, {
    message: context.workload,
    ratePerSecond,
    confirms,
    sloNs: sloMs * 1e6,
    durationMs: confirms ? confirmMs : durationMs,
    leadInMs: LEAD_IN_MS,
    arrivals,
    seed: context.seed + nth,
    ledger: context.ledger,
    warmupLedger: context.warmupLedger,
    clock: context.clock,
    pacer: await context.pacer(),
    signal: context.signal,
  });
  const at = { ratePerSecond };
  const latency = context.distribution("latency", { at });
  latency.recordAll(result.latencyNs);
  if (result.censored > 0) {
    latency.censor(result.censored, context.target.options.timeoutMs * 1e6);
  }
  context.scalar("throughput", trial.achievedPerSecond, { at });
  return trial;
}

/** Records what one search found, and what kept it from finding more. */
export function recordSearch(
  context: Recording & Pick<Context, "parameters">,
  { sustainedPerSecond, metShare, limit, trials }: RateSearchResult,
): void {
  if (sustainedPerSecond !== null) {
    context.scalar("sustainableRate", sustainedPerSecond);
    if (metShare !== null) context.scalar("metShare", metShare);
  }
  // A lower rate at which the client was late, once, is no limit of a client that offered more.
  if (limit.kind === "client" && limit.latePerSecond > (sustainedPerSecond ?? 0)) {
    const { latePerSecond } = limit;
    const message =
      `the client cannot offer ${latePerSecond} calls/s or more on time, so that the server may sustain ` +
      "more: use an idle machine";
    context.invalidate({ kind: "clientLimit", message, latePerSecond });
    context.notMeasured("limit of the server", message);
    // Nothing was missed.
    if (sustainedPerSecond === null) return;
  }
  if (limit.kind === "highest") {
    context.notMeasured(
      "limit of the server",
      `${sustainedPerSecond} calls/s, the highest rate tried, is sustained`,
    );
  }
  context.tally({
    kind: "sustainedRate",
    name: "a rate is sustained",
    seen: sustainedPerSecond === null ? 0 : 1,
    wanted: 1,
    why: sustainedPerSecond === null ? describeMiss(context.parameters.sloMs, trials) : null,
  });
}

/** Why no rate is sustained: what the last of the runs missed. */
function describeMiss(sloMs: number, trials: readonly RateTrial[]): string | null {
  const last = trials.findLast(({ misses }) => misses.length > 0);
  if (last === undefined) return null;
  const [miss] = last.misses;
  return `at ${last.ratePerSecond} calls/s ${describe(miss!, sloMs)}`;
}

function describe(miss: Miss, sloMs: number): string {
  switch (miss.kind) {
    case "cameBack":
      return `only ${miss.inTime} of ${miss.slots} calls were answered in time`;
    case "growth":
      return `the latency grew by up to ${(miss.growthNs / 1e6).toFixed(1)} ms`;
    case "latency":
      return `${miss.over} of ${miss.slots} calls failed or took over ${sloMs} ms`;
    case "gone":
      return miss.end === "silent" ? "the server fell silent" : "every connection was lost";
    default:
      return miss satisfies never;
  }
}
