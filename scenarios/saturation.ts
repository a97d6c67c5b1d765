import type { Connection } from "../lib/client/connection.ts";
import type { Miss } from "../lib/load/objective.ts";
import { type RateSearchResult, type RateTrial, searchRate } from "../lib/load/rate_search.ts";
import { runRateTrial } from "../lib/load/rate_trial.ts";
import type { Arrivals } from "../lib/load/schedule.ts";
import { ConnectionPool } from "../lib/run/connection_pool.ts";
import type { Procedure, Recording, ScenarioContext } from "../lib/run/scenario.ts";
import { THROUGHPUT, TIMES } from "../lib/run/scenario.ts";
import { noteNotJudged, recordFound, SHARE } from "../lib/run/search_record.ts";

const STANDARD = {
  /** Maximum p99, measured from the intended send time. */
  sloMs: 50,
  connections: 5,
  searches: 3,
  /** Start of the first search. */
  ratePerSecond: 200,
  /** Bounds of the search. */
  lowestRatePerSecond: 1,
  highestRatePerSecond: 100_000,
  arrivals: "poisson" as Arrivals,
  /** Duration of a run at one rate, and of one that confirms the result. */
  durationMs: 1_000,
  confirmMs: 3_000,
  payloadBytes: 0,
};

type Context = ScenarioContext<typeof STANDARD>;

/** Later searches start at this share of the previous result. */
const HEAD_START = 0.7;
/** Approximate runs of a search, and runs to confirm its result. */
const RUNS = 20;
const CONFIRMATIONS = 5;
/** Warm-up of each run. */
const LEAD_IN_MS = 200;
/** A search ends after this multiple of its plan. A server that drains slowly makes runs longer. */
const MOST_OVERTIME = 4;

export const saturation: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "saturation",
  question: "What is the highest call rate that the server sustains within the latency objective?",
  metrics: {
    sustainableRate: { kind: "scalar", unit: "calls/s", better: "higher" },
    metShare: SHARE,
    met: SHARE,
    latency: TIMES,
    throughput: THROUGHPUT,
  },
  headline: { metric: "sustainableRate" },
  gates: [{ metric: "sustainableRate" }],
  profiles: ["thorough"],
  takes: (parameters) => ({ onceMs: parameters.searches * searchMs(parameters) }),
  defaults: {
    quick: { ...STANDARD, searches: 1, durationMs: 300, confirmMs: 1_000 },
    standard: STANDARD,
    thorough: { ...STANDARD, searches: 5, confirmMs: 10_000 },
  },
  overloads: true,
  paced: true,

  begin: (context) => ({ conclude: () => search(context) }),
};

function searchMs({ durationMs, confirmMs }: typeof STANDARD): number {
  return RUNS * (durationMs + LEAD_IN_MS) + CONFIRMATIONS * confirmMs;
}

async function search(context: Context): Promise<void> {
  const { parameters, clock } = context;
  const { connections, searches, ratePerSecond, lowestRatePerSecond, highestRatePerSecond } =
    parameters;
  await using pool = await ConnectionPool.openAll(context, connections);
  if (pool === null) return;
  let first = ratePerSecond;
  let runs = 0;
  const results: RateSearchResult[] = [];
  try {
    for (let nth = 0; nth < searches; nth++) {
      context.progress(nth, searches);
      const endNs = clock.nowNs() + MOST_OVERTIME * searchMs(parameters) * 1e6;
      const result = await searchRate({
        mayGoOn: () => clock.nowNs() < endNs,
        first,
        lowest: lowestRatePerSecond,
        highest: highestRatePerSecond,
        run: (ratePerSecond, { confirms }) =>
          tryRate(context, pool.connections, { ratePerSecond, confirms, nth: runs++ }),
      });
      results.push(result);
      const { sustainedPerSecond, limit } = result;
      if (clock.nowNs() >= endNs) {
        const seconds = Math.round(MOST_OVERTIME * searchMs(parameters) / 1e3);
        context.notMeasured("limit of the server", `the search was stopped after ${seconds} s`);
      }
      if (limit.kind === "gone") break;
      if (sustainedPerSecond !== null) first = HEAD_START * sustainedPerSecond;
      else if (limit.kind !== "client") break;
    }
  } finally {
    recordSearches(context, results);
  }
}

async function tryRate(
  context: Context,
  connections: readonly Connection[],
  { ratePerSecond, confirms, nth }: { ratePerSecond: number; confirms: boolean; nth: number },
): Promise<RateTrial> {
  const { ledger, warmupLedger, clock, signal, parameters, workload: message } = context;
  const { sloMs, arrivals, durationMs, confirmMs } = parameters;
  const { result, ...trial } = await runRateTrial(connections, {
    ...{ message, ratePerSecond, confirms, arrivals, ledger, warmupLedger, clock, signal },
    sloNs: sloMs * 1e6,
    durationMs: confirms ? confirmMs : durationMs,
    leadInMs: LEAD_IN_MS,
    seed: context.seed + nth,
    pacer: await context.pacer(),
  });
  // Without a verdict the times are those of a late client.
  if (trial.verdict !== "noVerdict") {
    const at = { ratePerSecond };
    const latency = context.distribution("latency", { at });
    latency.recordAll(result.latencyNs);
    latency.censor(result.censored, context.target.options.timeoutMs * 1e6);
    context.scalar("throughput", trial.achievedPerSecond, { at });
    context.scalar("met", trial.verdict === "met" ? 1 : 0, { at, ci95: null });
  }
  return trial;
}

/** Records the results of all searches and what limited them. */
export function recordSearches(
  context: Recording & Pick<Context, "parameters">,
  results: readonly RateSearchResult[],
): void {
  const { sloMs } = context.parameters;
  recordFound(context, results, {
    metric: "sustainableRate",
    late: (latePerSecond) => ({
      kind: "clientLimit",
      message: `the client cannot send ${latePerSecond} calls/s or more on time, so the server ` +
        "may sustain more: use an idle machine",
      latePerSecond,
    }),
    highest: (rate) => `${rate} calls/s, the highest rate tried, was sustained`,
    check: { kind: "sustainedRate", name: "a rate is sustained" },
    why({ trials }) {
      const last = trials.findLast(({ misses }) => misses.length > 0);
      return last === undefined
        ? null
        : `at ${last.ratePerSecond} calls/s ${describe(last.misses[0]!, sloMs)}`;
    },
  });
  noteNotJudged(context, results.flatMap(({ trials }) => trials));
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
      return miss.end === "silent" ? "the server stopped answering" : "every connection was lost";
    default:
      return miss satisfies never;
  }
}
