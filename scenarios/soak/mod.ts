import { runOpenLoop } from "../../lib/load/open.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import { shareOf } from "../../lib/load/share.ts";
import { parseStages } from "../../lib/load/stages.ts";
import { ConnectionPool } from "../../lib/run/connection_pool.ts";
import {
  type MetricSpec,
  type Parameters,
  type Procedure,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../../lib/run/scenario.ts";
import { judgeSchedule } from "../../lib/run/schedule_checks.ts";
import type { SeriesPoint } from "../../lib/schema.ts";
import { type Change, changeOver, type Changing } from "../../lib/stats/change.ts";
import { ErrorCourse } from "./error_course.ts";

interface SoakParameters extends Parameters {
  /** Of all connections together. */
  ratePerSecond: number;
  connections: number;
  /** `null`: rate x timeout. */
  maxOutstanding: number | null;
  /** Ramps of the rate, in its place; `null`: it stays. */
  stages: string | null;
  durationMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<SoakParameters>;

/** Counts as warm-up: this long, or a fifth of the rest where that is less. */
const LONGEST_LEAD_IN_MS = 1_000;
/** What each event loop of the client may grow by: histograms, compiled code and garbage. */
const GROWTH_LIMIT_MIB = 64;
/** The run fails if its end is worse than that many times its beginning, without a doubt. */
const SLOWEST_P50 = 1.25;
const LOWEST_THROUGHPUT = 0.8;

const CHANGE: MetricSpec = { kind: "scalar", unit: "x", better: "lower" };
const COMMON = {
  ratePerSecond: 250,
  connections: 5,
  maxOutstanding: null,
  stages: null,
  payloadBytes: 0,
};

export const soak: Procedure<SoakParameters> = {
  kind: "procedure",
  name: "soak",
  title: "Soak",
  question: "Does the server stay as fast as it was over a long run at a fixed rate?",
  metrics: {
    latency: TIMES,
    serviceTime: TIMES,
    slip: TIMES,
    throughput: THROUGHPUT,
    changeP50: { ...CHANGE, merge: "p50" },
    changeP99: { ...CHANGE, merge: "p99" },
    changeThroughput: { ...CHANGE, better: "higher", merge: "count" },
    memoryGrowth: { kind: "scalar", unit: "bytes", better: "lower" },
  },
  headline: { metric: "latency" },
  gates: [{ metric: "latency", statistics: ["p50", "p99"] }],
  profiles: [],
  takes: ({ durationMs }) => ({ onceMs: durationMs + LONGEST_LEAD_IN_MS }),
  sharding: "rate",
  paced: true,
  // It has a lead-in of its own.
  warmsUp: false,
  defaults: {
    quick: { ...COMMON, durationMs: 5_000 },
    standard: { ...COMMON, durationMs: 60_000 },
    thorough: { ...COMMON, durationMs: 600_000 },
  },

  begin(context) {
    // Once, as the first epoch, which shards begin together.
    return {
      async epoch() {
        await run(context);
        return "stop";
      },
    };
  },
};

async function run(context: Context): Promise<void> {
  const { target, clock, place, signal, parameters, ledger, warmupLedger } = context;
  const { ratePerSecond, connections: count, durationMs } = parameters;
  const stages = parameters.stages === null ? null : parseStages(parameters.stages);
  await using pool = new ConnectionPool(target, warmupLedger);
  const most = shareOf(count, place);
  await pool.open([{ record: context, most, establish: null }]);
  if (pool.connections.length < most) return;
  const pacer = await context.pacer();
  const leadInMs = stages === null ? Math.min(LONGEST_LEAD_IN_MS, durationMs / 5) : 0;
  const course = {
    intervalMs: intervalMs(parameters),
    startNs: clock.nowNs() + leadInMs * 1e6,
  };
  const latency = context.distribution("latency", { series: course });
  const serviceTime = context.distribution("serviceTime");
  const slip = context.distribution("slip");
  const errors = new ErrorCourse(course);
  const memoryBytes = Deno.memoryUsage().rss;
  const timeoutMs = target.options.timeoutMs;
  const maxOutstanding = parameters.maxOutstanding ?? Math.ceil(ratePerSecond * timeoutMs / 1000);
  const result = await runOpenLoop(pool.connections, {
    message: context.workload,
    schedule: createSchedule({
      ratePerSecond,
      arrivals: "constant",
      slots: null,
      durationMs: leadInMs + durationMs,
      stages,
      seed: context.seed,
      share: { connections: count, place },
    }),
    leadInNs: leadInMs * 1e6,
    maxOutstanding: Math.max(1, shareOf(maxOutstanding, place)),
    ledger,
    warmupLedger,
    clock,
    pacer,
    signal,
    // Millions of them would be the client's memory.
    keepsTimes: false,
    onCall({ status, sentNs, endedNs }, intendedNs, isMeasured) {
      if (!isMeasured) return;
      slip.record(sentNs - intendedNs);
      if (status !== "ok") return errors.note(endedNs);
      latency.record(endedNs - intendedNs, endedNs);
      serviceTime.record(endedNs - sentNs);
    },
  });
  signal.throwIfAborted();
  latency.censor(result.censored, timeoutMs * 1e6);
  context.scalar("throughput", result.achievedPerSecond);
  checkMemory(context, Deno.memoryUsage().rss - memoryBytes);
  if (stages === null) checkChanges(context, latency.series());
  else context.notMeasured("change over the run", "the rate changes by --stages");
  judgeSchedule(context, {
    runs: [result],
    latencyP99Ns: latency.percentile(99),
    slipP99Ns: slip.percentile(99),
  });
  context.check(errors.check(clock.nowNs()));
}

/** Long enough for a p99 in each interval, if there are at least 12 of them; there are at most 60. */
function intervalMs({ ratePerSecond, durationMs }: SoakParameters): number {
  const forP99Ms = 1_050 / ratePerSecond * 1000;
  return Math.max(durationMs / 60, Math.min(forP99Ms, durationMs / 12));
}

/** The bundled server, being in this process, counts too. */
function checkMemory(context: Context, growthBytes: number): void {
  context.scalar("memoryGrowth", growthBytes);
  const growthMiB = growthBytes / 2 ** 20;
  const limitMiB = GROWTH_LIMIT_MIB * context.loops;
  context.check({
    kind: "clientMemory",
    name: "the client's memory is constant",
    passed: growthMiB <= limitMiB,
    expected: `grown by ${limitMiB} MiB at most`,
    observed: `${growthMiB < 0 ? "shrunk" : "grown"} by ${Math.abs(growthMiB).toFixed(1)} MiB`,
  });
}

function checkChanges(context: Context, series: readonly SeriesPoint[]): void {
  const p50 = recordChange(context, series, { metric: "changeP50", of: "p50" });
  const throughput = recordChange(context, series, { metric: "changeThroughput", of: "count" });
  recordChange(context, series, { metric: "changeP99", of: "p99" });
  if (p50 !== null) {
    context.check({
      kind: "steadyLatency",
      name: "the median latency is as it was",
      passed: p50.ci95[0] <= SLOWEST_P50,
      expected: `at the end at most ${SLOWEST_P50} times that of the beginning`,
      observed: describe(p50),
    });
  }
  if (throughput === null) return;
  context.check({
    kind: "steadyThroughput",
    name: "the throughput is as it was",
    passed: throughput.ci95[1] >= LOWEST_THROUGHPUT,
    expected: `at the end at least ${LOWEST_THROUGHPUT} times that of the beginning`,
    observed: describe(throughput),
  });
}

function recordChange(
  context: Context,
  series: readonly SeriesPoint[],
  { metric, of }: { metric: string; of: Changing },
): Change | null {
  const change = changeOver(series, of);
  if (change === null) {
    const reason = of === "p99"
      ? "too few intervals with the 1,000 calls that a p99 needs: raise --rate or --duration"
      : "too few intervals had calls";
    context.notMeasured(metric, reason);
  } else context.scalar(metric, change.ratio, { ci95: change.ci95 });
  return change;
}

function describe({ ratio, ci95: [low, high] }: Change): string {
  return `${ratio.toFixed(2)} times, with 95 % confidence ${low.toFixed(2)} to ${high.toFixed(2)}`;
}
