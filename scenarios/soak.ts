import { parseStages } from "../lib/load/stages.ts";
import { counted } from "../lib/run/describe_end.ts";
import { openPaced } from "../lib/run/paced_load.ts";
import type { MetricSpec, Procedure, ScenarioContext } from "../lib/run/scenario.ts";
import { THROUGHPUT, TIMES } from "../lib/run/scenario.ts";
import { judgeSchedule } from "../lib/run/schedule_checks.ts";
import type { Check, SeriesPoint } from "../lib/schema.ts";
import { type Change, changeOver, type Changing } from "../lib/stats/change.ts";

const STANDARD = {
  /** Total over all connections. */
  ratePerSecond: 250,
  connections: 5,
  /** `null`: rate x timeout. */
  maxOutstanding: null as number | null,
  /** Ramps of the rate; `null`: the rate is constant. */
  stages: null as string | null,
  durationMs: 60_000,
  payloadBytes: 0,
};

type Context = ScenarioContext<typeof STANDARD>;

/** Warm-up: this, or a fifth of the duration if that is shorter. */
const LONGEST_LEAD_IN_MS = 1_000;
/** Allowed memory growth per event loop of the client: histograms, compiled code and garbage. */
const GROWTH_LIMIT_MIB = 64;
/** Bounds of the end relative to the beginning. A check fails if its whole interval is outside. */
const SLOWEST_P50 = 1.25;
const LOWEST_THROUGHPUT = 0.8;

const CHANGE: MetricSpec = { kind: "scalar", unit: "x", better: "lower" };

export const soak: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "soak",
  question: "Does the server stay as fast over a long run at a fixed rate?",
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
  // It has its own lead-in.
  warmsUp: false,
  defaults: {
    quick: { ...STANDARD, durationMs: 5_000 },
    standard: STANDARD,
    thorough: { ...STANDARD, durationMs: 600_000 },
  },
  // An epoch, not `conclude`, because shards begin epochs together.
  begin: (context) => ({ epoch: () => run(context) }),
};

async function run(context: Context): Promise<"stop"> {
  const { clock, parameters, target: { options: { timeoutMs } } } = context;
  const { ratePerSecond, durationMs } = parameters;
  const stages = parameters.stages === null ? null : parseStages(parameters.stages);
  const leadInMs = stages === null ? Math.min(LONGEST_LEAD_IN_MS, durationMs / 5) : 0;
  await using load = await openPaced(context);
  if (load === null) return "stop";
  const series = { intervalMs: intervalMs(parameters), startNs: clock.nowNs() + leadInMs * 1e6 };
  const latency = context.distribution("latency", { series });
  const serviceTime = context.distribution("serviceTime");
  const slip = context.distribution("slip");
  const errors = errorCourse(series);
  const memoryBytes = Deno.memoryUsage().rss;
  const result = await load.run({
    ...{ ratePerSecond, peakPerSecond: ratePerSecond, leadInMs, stages },
    durationMs: leadInMs + durationMs,
    onCall({ status, sentNs, endedNs }, intendedNs) {
      slip.record(sentNs - intendedNs);
      if (status !== "ok") return errors.note(endedNs);
      latency.record(endedNs - intendedNs, endedNs);
      serviceTime.record(endedNs - sentNs);
    },
  });
  latency.censor(result.censored, timeoutMs * 1e6);
  context.scalar("throughput", result.achievedPerSecond);
  checkMemory(context, Deno.memoryUsage().rss - memoryBytes);
  if (stages === null) checkChanges(context, latency.series());
  else context.notMeasured("change over the run", "the rate follows --stages");
  judgeSchedule(context, { runs: [result], latency, slip });
  context.check(errors.check(clock.nowNs()));
  return "stop";
}

/** Long enough for a p99 if that leaves at least 12 intervals; there are at most 60. */
function intervalMs({ ratePerSecond, durationMs }: typeof STANDARD): number {
  const forP99Ms = 1_050 / ratePerSecond * 1000;
  return Math.max(durationMs / 60, Math.min(forP99Ms, durationMs / 12));
}

/** Includes the bundled server, which runs in this process. */
function checkMemory(context: Context, growthBytes: number): void {
  context.scalar("memoryGrowth", growthBytes);
  const growthMiB = growthBytes / 2 ** 20;
  const limitMiB = GROWTH_LIMIT_MIB * context.loops;
  context.check({
    kind: "clientMemory",
    name: "the client's memory is constant",
    passed: growthMiB <= limitMiB,
    expected: `grown by at most ${limitMiB} MiB`,
    observed: `${growthMiB < 0 ? "shrunk" : "grown"} by ${Math.abs(growthMiB).toFixed(1)} MiB`,
  });
}

function checkChanges(context: Context, series: readonly SeriesPoint[]): void {
  const changeOf = (metric: string, of: Changing, missing = "too few intervals had calls") => {
    const change = changeOver(series, of);
    if (change === null) context.notMeasured(metric, missing);
    else context.scalar(metric, change.ratio, { ci95: change.ci95 });
    return change;
  };
  const p50 = changeOf("changeP50", "p50");
  const throughput = changeOf("changeThroughput", "count");
  const reason =
    "too few intervals have the 1,000 calls that a p99 needs: raise --rate or --duration";
  changeOf("changeP99", "p99", reason);
  if (p50 !== null) {
    context.check({
      kind: "steadyLatency",
      name: "the median latency is as it was",
      passed: p50.ci95[0] <= SLOWEST_P50,
      expected: `at most ${SLOWEST_P50} times that of the beginning`,
      observed: describe(p50),
    });
  }
  if (throughput === null) return;
  context.check({
    kind: "steadyThroughput",
    name: "the throughput is as it was",
    passed: throughput.ci95[1] >= LOWEST_THROUGHPUT,
    expected: `at least ${LOWEST_THROUGHPUT} times that of the beginning`,
    observed: describe(throughput),
  });
}

function describe({ ratio, ci95: [low, high] }: Change): string {
  return `${ratio.toFixed(2)} times, 95 % interval ${low.toFixed(2)} to ${high.toFixed(2)}`;
}

/** Counts failed calls by interval and keeps the time of the first. Times are clock nanoseconds. */
export function errorCourse({ startNs, intervalMs }: { startNs: number; intervalMs: number }) {
  const failures = new Map<number, number>();
  let firstNs = startNs;
  const intervalAt = (ns: number) => Math.floor((ns - startNs) / (intervalMs * 1e6));
  return {
    /** Counts a failed call that ended at this time. */
    note(atNs: number): void {
      if (failures.size === 0) firstNs = atNs;
      const interval = intervalAt(atNs);
      failures.set(interval, (failures.get(interval) ?? 0) + 1);
    },
    /** Checks that no call has failed up to now. */
    check(nowNs: number): Check {
      const intervals = counted(intervalAt(nowNs) + 1, "interval");
      const failed = [...failures.values()];
      const total = failed.reduce((sum, count) => sum + count, 0);
      const passed = total === 0;
      const expected = `none in any of ${intervals}`;
      const observed = passed
        ? expected
        : `${total} in ${failed.length} of ${intervals}, up to ${Math.max(...failed)} in one, ` +
          `the first after ${((firstNs - startNs) / 1e9).toFixed(1)} s`;
      return { kind: "errorsOverTime", name: "errors over time", passed, expected, observed };
    },
  };
}
