import { type Arrivals, createSchedule } from "../lib/load/schedule.ts";
import { shareOf } from "../lib/load/share.ts";
import type { Connection } from "../lib/client/connection.ts";
import { checkEverySlotSent, judgeSlip, type PacedResult, runPaced } from "../lib/run/paced.ts";
import { beginTogether, forEachRound } from "../lib/run/rounds.ts";
import {
  type Parameters,
  type RoundLength,
  type Scenario,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { openSessions } from "../lib/run/sessions.ts";
import { warmUp } from "../lib/run/warm_up.ts";

interface OpenLoopParameters extends Parameters, RoundLength {
  /** Of all connections together. */
  ratePerSecond: number;
  connections: number;
  arrivals: Arrivals;
  /** `null`: rate x timeout. */
  maxOutstanding: number | null;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<OpenLoopParameters>;

/** The width of an interval of the series over time, at first. */
const SERIES_INTERVAL_MS = 250;

const COMMON = {
  ratePerSecond: 500,
  connections: 5,
  arrivals: "constant",
  maxOutstanding: null,
  messages: null,
  payloadBytes: 0,
} as const;

export const openLoop: Scenario<OpenLoopParameters> = {
  name: "open-loop",
  question: "How long do calls take that come at a given rate, whether or not the server keeps up?",
  metrics: {
    latency: TIMES,
    serviceTime: TIMES,
    slip: TIMES,
    throughput: THROUGHPUT,
  },
  profiles: ["thorough"],
  sharding: "rate",
  defaults: {
    quick: { ...COMMON, rounds: 5, warmupMs: 200, durationMs: 300 },
    standard: { ...COMMON, rounds: 10, warmupMs: 1000, durationMs: 1000 },
    thorough: { ...COMMON, rounds: 20, warmupMs: 2000, durationMs: 2000 },
    phase2: { ...COMMON, rounds: 5, warmupMs: 0, durationMs: null, messages: 100 },
  },

  async run(context) {
    const { connections: count, ratePerSecond, warmupMs } = context.parameters;
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
    const results = await context.watched(() => measure(context, connections), { paced: true });
    judgeSlip(context, results);
    checkEverySlotSent(context, results);
    return { status: "measured" };
  },
};

async function measure(
  context: Context,
  connections: readonly Connection[],
): Promise<PacedResult[]> {
  const { parameters: { messages, ...parameters }, clock, seed, place } = context;
  const share = { connections: parameters.connections, place };
  const series = { intervalMs: SERIES_INTERVAL_MS, startNs: clock.nowNs() };
  const recorders = {
    latency: context.distribution("latency", { series }),
    serviceTime: context.distribution("serviceTime"),
    slip: context.distribution("slip"),
  };
  const results: PacedResult[] = [];
  await forEachRound(context, {
    recorders: Object.values(recorders),
    round: async (index) => {
      const slots = messages === null ? null : messages * parameters.connections;
      const schedule = createSchedule({ ...parameters, slots, seed: seed + index, share });
      const result = await runPaced(context, { ...parameters, connections, schedule, recorders });
      results.push(result);
      context.signal.throwIfAborted(); // A round cut short has no throughput.
      context.scalar("throughput", result.achievedPerSecond);
      return result.end === "complete" ? undefined : "stop";
    },
  });
  return results;
}
