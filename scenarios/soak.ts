import { createSchedule } from "../lib/load/schedule.ts";
import { shareOf } from "../lib/load/share.ts";
import type { Connection } from "../lib/client/connection.ts";
import { ErrorCourse } from "../lib/run/error_course.ts";
import { checkEverySlotSent, judgeSlip, type PacedResult, runPaced } from "../lib/run/paced.ts";
import { beginTogether, forEachRound } from "../lib/run/rounds.ts";
import {
  type Parameters,
  type Scenario,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { openSessions } from "../lib/run/sessions.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import { medianDrift } from "../lib/stats/drift.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

interface SoakParameters extends Parameters {
  /** Of all connections together. */
  ratePerSecond: number;
  connections: number;
  /** `null`: rate x timeout. */
  maxOutstanding: number | null;
  durationMs: number;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<SoakParameters>;

/** Latency is told for this many intervals, but for none shorter than this. */
const INTERVALS = 60;
const SHORTEST_INTERVAL_MS = 250;
/** What each event loop of the client may grow it by: histograms, compiled code and what is not yet collected. */
const GROWTH_LIMIT_MIB = 64;

const COMMON = {
  rounds: 1,
  ratePerSecond: 200,
  connections: 5,
  maxOutstanding: null,
  payloadBytes: 0,
};

export const soak: Scenario<SoakParameters> = {
  name: "soak",
  question: "Does the server stay as fast as it was, hour after hour, at a fixed rate?",
  metrics: {
    latency: TIMES,
    serviceTime: TIMES,
    slip: TIMES,
    throughput: THROUGHPUT,
    drift: { kind: "scalar", unit: "ns/h", better: "lower", merge: "drift" },
    memoryGrowth: { kind: "scalar", unit: "bytes", better: "lower" },
  },
  profiles: [],
  sharding: "rate",
  defaults: {
    quick: { ...COMMON, durationMs: 5_000, warmupMs: 500 },
    standard: { ...COMMON, durationMs: 60_000, warmupMs: 2000 },
    thorough: { ...COMMON, durationMs: 600_000, warmupMs: 5000 },
    phase2: { ...COMMON, durationMs: 60_000, warmupMs: 0 },
  },

  async run(context) {
    const { connections: count, ratePerSecond, warmupMs, durationMs, rounds } = context.parameters;
    await using stack = new AsyncDisposableStack();
    const connections = await openSessions(context, {
      count: shareOf(count, context.place),
      stack,
    });
    if (connections === null) return { status: "measured" };
    await warmUp(context, {
      connections,
      durationMs: warmupMs,
      maxRatePerSecond: ratePerSecond / count,
    });
    await beginTogether(context);
    const intervalMs = Math.max(SHORTEST_INTERVAL_MS, durationMs * rounds / INTERVALS);
    const series = { intervalMs, startNs: context.clock.nowNs() };
    const latency = context.distribution("latency", { series });
    const errors = new ErrorCourse(series);
    const memoryBytes = Deno.memoryUsage().rss;
    const results = await context.watched(
      () => measure(context, { connections, latency, errors }),
      { paced: true },
    );
    checkMemory(context, Deno.memoryUsage().rss - memoryBytes);
    recordDrift(context, latency);
    judgeSlip(context, results);
    checkEverySlotSent(context, results);
    context.check(errors.check(context.clock.nowNs()));
    return { status: "measured" };
  },
};

async function measure(
  context: Context,
  { connections, latency, errors }: {
    connections: readonly Connection[];
    latency: DistributionRecorder;
    errors: ErrorCourse;
  },
): Promise<PacedResult[]> {
  const { parameters, seed, place } = context;
  const share = { connections: parameters.connections, place };
  const recorders = {
    latency,
    serviceTime: context.distribution("serviceTime"),
    slip: context.distribution("slip"),
  };
  const results: PacedResult[] = [];
  await forEachRound(context, {
    recorders: Object.values(recorders),
    round: async () => {
      const schedule = createSchedule({
        ...parameters,
        arrivals: "constant",
        slots: null,
        seed,
        share,
      });
      const result = await runPaced(context, {
        ...parameters,
        connections,
        schedule,
        recorders,
        onCall: ({ status, endedNs }) => {
          if (status !== "ok") errors.note(endedNs);
        },
      });
      results.push(result);
      context.signal.throwIfAborted(); // A round cut short has no throughput.
      context.scalar("throughput", result.achievedPerSecond);
      return result.end === "complete" ? undefined : "stop";
    },
  });
  return results;
}

/** The bundled server, being in this process, counts in. */
function checkMemory(context: Context, growthBytes: number): void {
  context.scalar("memoryGrowth", growthBytes);
  const growthMiB = growthBytes / 2 ** 20;
  const limitMiB = GROWTH_LIMIT_MIB * context.loops;
  context.check({
    name: "the client's memory is constant",
    passed: growthMiB <= limitMiB,
    expected: `grown by ${limitMiB} MiB at most`,
    observed: `${growthMiB < 0 ? "shrunk" : "grown"} by ${Math.abs(growthMiB).toFixed(1)} MiB`,
  });
}

function recordDrift(context: Context, latency: DistributionRecorder): void {
  const course = latency.distribution("latency", { better: "lower", seed: context.seed });
  const drift = medianDrift(course?.series ?? []);
  if (drift === null) return context.notMeasured("drift", "too few intervals have a median");
  context.scalar("drift", drift.slope, { ci95: drift.ci95 });
}
