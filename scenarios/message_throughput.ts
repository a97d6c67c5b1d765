import { SILENCE_LIMIT } from "../lib/load/closed.ts";
import { createPace } from "../lib/load/pace.ts";
import type { Connection } from "../lib/client/connection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  LIGHT_PROFILES,
  type LoopContext,
  type Parameters,
  type RoundLength,
  type Scenario,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import { sampleSequential } from "../lib/stats/sampling.ts";

interface MessageThroughputParameters extends Parameters, RoundLength {
  warmupMs: number;
  payloadBytes: number;
}

export const messageThroughput: Scenario<MessageThroughputParameters> = {
  name: "message-throughput",
  question: "How fast does the server answer one client that sends one call at a time?",
  metrics: {
    latency: TIMES,
    throughput: THROUGHPUT,
  },
  profiles: LIGHT_PROFILES,
  defaults: {
    quick: { rounds: 5, warmupMs: 200, messages: null, durationMs: 150, payloadBytes: 0 },
    standard: { rounds: 10, warmupMs: 1000, messages: null, durationMs: 500, payloadBytes: 0 },
    thorough: { rounds: 20, warmupMs: 2000, messages: null, durationMs: 1000, payloadBytes: 0 },
    phase2: { rounds: 5, warmupMs: 0, messages: 100, durationMs: null, payloadBytes: 0 },
  },

  async run(context) {
    const { rounds, messages } = context.parameters;
    const latency = context.distribution("latency");
    await using connection = await context.target.connect(context.warmupLedger);
    await warmUp(context, { connections: [connection], durationMs: context.parameters.warmupMs });
    await context.watched(() =>
      forEachRound(context, {
        recorders: [latency],
        round: async () => {
          const { okNs, ratePerSecond, end } = await sampleRound(context, connection);
          for (const ns of okNs) latency.record(ns);
          context.signal.throwIfAborted(); // A round cut short has no throughput.
          if (end !== "complete") return "stop";
          context.scalar("throughput", ratePerSecond);
        },
      })
    );
    await context.measureFloor({
      connections: 1,
      round: async (floor, { connections: [client], latency }) => {
        const { okNs, ratePerSecond } = await sampleRound(floor, client!);
        for (const ns of okNs) latency.record(ns);
        return ratePerSecond;
      },
    });
    if (messages !== null) checkCount(context, rounds * messages);
    return { status: "measured" };
  },
};

/** One round, sampled through mitata; its unmeasured first call counts as warm-up. */
async function sampleRound(
  context: LoopContext<MessageThroughputParameters>,
  connection: Connection,
): Promise<{ okNs: number[]; ratePerSecond: number; end: "complete" | "lost" | "silent" }> {
  const { clock, workload, signal, parameters: { messages, durationMs } } = context;
  const pace = createPace(context);
  let measuring = false;
  let unansweredInRow = connection.timedOutInRow;
  let startNs = 0;
  let endNs = 0;

  async function callOnce(): Promise<number> {
    await pace();
    if (signal.aborted || !connection.isOpen || unansweredInRow >= SILENCE_LIMIT) return Infinity;
    if (durationMs !== null && measuring && endNs - startNs >= durationMs * 1e6) return Infinity;
    connection.useLedger(measuring ? context.ledger : context.warmupLedger);
    const call = await connection.call(workload());
    unansweredInRow = call.status === "timeout" ? unansweredInRow + 1 : 0;
    endNs = call.endedNs;
    if (!measuring) {
      measuring = true;
      startNs = endNs = clock.nowNs();
      return -1;
    }
    return call.status === "ok" ? call.endedNs - call.sentNs : -1;
  }

  const okNs = await sampleSequential(callOnce, {
    maxSamples: messages ?? Number.MAX_SAFE_INTEGER,
  });
  connection.useLedger(context.ledger);
  const end = !connection.isOpen
    ? "lost"
    : unansweredInRow >= SILENCE_LIMIT
    ? "silent"
    : "complete";
  const elapsedNs = endNs - startNs;
  const ratePerSecond = elapsedNs === 0 ? 0 : okNs.length / (elapsedNs / 1e9);
  return { okNs, ratePerSecond, end };
}

function checkCount(context: ScenarioContext, messages: number): void {
  context.check({
    name: "every message sent",
    passed: context.ledger.sent === messages,
    expected: `${messages} sent`,
    observed: `${context.ledger.sent} sent`,
  });
}
