import { type LoopResult, runClosedLoop } from "../lib/load/closed.ts";
import type { Connection } from "../lib/client/connection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  type LoopContext,
  type Parameters,
  type RoundLength,
  type Scenario,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

/** The length is that of one depth in one round. */
interface PipeliningParameters extends Parameters, RoundLength {
  /** This depth alone; `null`: 1, 2, 4 … 64. */
  inFlight: number | null;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<PipeliningParameters>;

const DEPTHS = [1, 2, 4, 8, 16, 32, 64];
const COMMON = { inFlight: null, payloadBytes: 0 };

export const pipelining: Scenario<PipeliningParameters> = {
  name: "pipelining",
  question: "What does one client gain by sending calls before earlier ones are answered?",
  metrics: {
    "throughput@N": THROUGHPUT,
    "latency@N": TIMES,
  },
  profiles: ["thorough"],
  defaults: {
    quick: { ...COMMON, rounds: 5, warmupMs: 200, messages: null, durationMs: 50 },
    standard: { ...COMMON, rounds: 10, warmupMs: 1000, messages: null, durationMs: 200 },
    thorough: { ...COMMON, rounds: 20, warmupMs: 2000, messages: null, durationMs: 300 },
    phase2: { ...COMMON, rounds: 5, warmupMs: 0, messages: 100, durationMs: null },
  },

  async run(context) {
    const { inFlight, warmupMs } = context.parameters;
    const steps = (inFlight === null ? DEPTHS : [inFlight]).map((depth) => ({
      depth,
      latency: context.distribution(`latency@${depth}`, { at: { inFlight: depth } }),
    }));
    const order = new ReplyOrder();
    await using connection = await context.target.connect(context.warmupLedger);
    await warmUp(context, { connections: [connection], durationMs: warmupMs });
    await context.watched(() =>
      forEachRound(context, {
        recorders: steps.map(({ latency }) => latency),
        round: async (index) => {
          // Up in one round and down in the next, so that what drifts favours no depth.
          for (const step of index % 2 === 0 ? steps : steps.toReversed()) {
            const end = await measureDepth(context, { ...step, connection, order });
            if (end === "stop") return end;
          }
        },
      })
    );
    const deepest = steps[steps.length - 1]!.depth;
    await context.measureFloor({
      connections: 1,
      metric: `throughput@${deepest}`,
      round: async (floor, { connections: [client], latency }) =>
        (await runDepth(floor, {
          depth: deepest,
          connection: client!,
          onOk: (ns) => latency.record(ns),
        })).ratePerSecond,
    });
    checkOrder(context, order);
    return { status: "measured" };
  },
};

/** Counts replies that come before that of an earlier call of their connection. */
class ReplyOrder {
  #answered = 0;
  #overtaking = 0;
  #latest = 0;

  get answered(): number {
    return this.#answered;
  }

  /** Replies that came when a later call had been answered already. */
  get outOfOrder(): number {
    return this.#overtaking;
  }

  note(nth: number): void {
    this.#answered++;
    if (nth < this.#latest) this.#overtaking++;
    else this.#latest = nth;
  }
}

async function measureDepth(
  context: Context,
  { depth, latency, connection, order }: {
    depth: number;
    latency: DistributionRecorder;
    connection: Connection;
    order: ReplyOrder;
  },
): Promise<"stop" | void> {
  const { ratePerSecond, end } = await runDepth(context, {
    depth,
    connection,
    onOk: (ns) => latency.record(ns),
    onAnswer: (nth) => order.note(nth),
  });
  if (end !== "complete") return "stop";
  context.scalar(`throughput@${depth}`, ratePerSecond, { at: { inFlight: depth } });
}

/**
 * One round at one depth.
 *
 * @throws the signal's reason, if it is interrupted: a round cut short has no throughput
 */
async function runDepth(
  context: LoopContext<PipeliningParameters>,
  { depth, connection, onOk, onAnswer }: {
    depth: number;
    connection: Connection;
    /** Hears of the time of each success, in nanoseconds. */
    onOk: (ns: number) => void;
    /** Hears of the place in the session of each call that was answered. */
    onAnswer?: (nth: number) => void;
  },
): Promise<Pick<LoopResult, "end"> & { ratePerSecond: number }> {
  const { parameters: { messages, durationMs }, workload, maxRatePerSecond, clock, signal } =
    context;
  const { ok, startNs, endNs, end } = await runClosedLoop(connection, {
    message: workload,
    inFlight: depth,
    messages,
    durationMs,
    maxRatePerSecond,
    clock,
    signal,
    onCall: ({ status, nth, sentNs, endedNs }) => {
      if (status === "ok") onOk(endedNs - sentNs);
      if (status === "ok" || status === "toolError" || status === "rateLimited") onAnswer?.(nth);
    },
  });
  signal.throwIfAborted();
  return { end, ratePerSecond: endNs > startNs ? ok / ((endNs - startNs) / 1e9) : 0 };
}

/** EXAI answers the calls of a connection in order; other protocols may answer as they please. */
function checkOrder(context: Context, { answered, outOfOrder }: ReplyOrder): void {
  const { protocol } = context.target.options;
  const observed = outOfOrder === 0
    ? `${answered} of ${answered} in order`
    : `${outOfOrder} of ${answered} out of order`;
  if (protocol.name !== "exai") {
    return context.note(
      `replies to the calls of one connection: ${observed}; the ${protocol.name} protocol promises neither`,
    );
  }
  context.check({
    name: "replies keep the order of their calls",
    passed: outOfOrder === 0,
    expected: `${answered} of ${answered} in order`,
    observed,
  });
}
