import { shareOf } from "../lib/load/share.ts";
import type { Connection } from "../lib/client/connection.ts";
import { beginTogether, forEachRound } from "../lib/run/rounds.ts";
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
import { openSessions } from "../lib/run/sessions.ts";
import { runTogether, type TogetherResult } from "../lib/run/together.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import { jainIndex } from "../lib/stats/fairness.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

interface ConcurrentConnectionsParameters extends Parameters, RoundLength {
  connections: number;
  /** Calls in flight on each connection. */
  inFlight: number;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<ConcurrentConnectionsParameters>;

export const concurrentConnections: Scenario<ConcurrentConnectionsParameters> = {
  name: "concurrent-connections",
  question: "What do several clients at once get, and what do they gain over one?",
  metrics: {
    establish: TIMES,
    latency: TIMES,
    throughput: THROUGHPUT,
    throughputAlone: THROUGHPUT,
    speedup: { kind: "scalar", unit: "x", better: "higher" },
    fairness: { kind: "scalar", unit: "", better: "higher" },
  },
  profiles: LIGHT_PROFILES,
  sharding: "connections",
  defaults: {
    quick: {
      rounds: 5,
      connections: 5,
      inFlight: 1,
      warmupMs: 200,
      messages: null,
      durationMs: 100,
      payloadBytes: 0,
    },
    standard: {
      rounds: 10,
      connections: 5,
      inFlight: 1,
      warmupMs: 500,
      messages: null,
      durationMs: 500,
      payloadBytes: 0,
    },
    thorough: {
      rounds: 20,
      connections: 5,
      inFlight: 1,
      warmupMs: 2000,
      messages: null,
      durationMs: 1000,
      payloadBytes: 0,
    },
    phase2: {
      rounds: 5,
      connections: 5,
      inFlight: 1,
      warmupMs: 0,
      messages: 10,
      durationMs: null,
      payloadBytes: 0,
    },
  },

  async run(context) {
    await using opened = new AsyncDisposableStack();
    const connections = await openSessions(context, {
      count: shareOf(context.parameters.connections, context.place),
      stack: opened,
      establish: context.distribution("establish"),
    });
    if (connections === null) return { status: "measured" };
    await warmUp(context, { connections, durationMs: context.parameters.warmupMs });
    const latency = context.distribution("latency");
    const isShard = context.place.count > 1;
    await beginTogether(context);
    await context.watched(() =>
      forEachRound(context, {
        recorders: [latency],
        round: (index) =>
          isShard
            ? measureShare(context, { connections, latency })
            : measureRound(context, { connections, latency, aloneFirst: index % 2 === 0 }),
      })
    );
    if (isShard) noteUntold(context);
    await context.measureFloor({
      connections: connections.length,
      round: async (floor, clients) => (await measureTogether(floor, clients)).ratePerSecond,
    });
    return { status: "measured" };
  },
};

/** All the connections at once, each with as many calls in flight as the parameters say. */
function measureTogether(
  context: LoopContext<ConcurrentConnectionsParameters>,
  options: { connections: readonly Connection[]; latency?: DistributionRecorder },
): Promise<TogetherResult> {
  return runTogether(context, { ...options, inFlight: context.parameters.inFlight });
}

/** One client alone and all at once, one after the other in changing order, and their ratio. */
async function measureRound(
  context: Context,
  { connections, latency, aloneFirst }: {
    connections: readonly Connection[];
    latency: DistributionRecorder;
    aloneFirst: boolean;
  },
): Promise<"stop" | void> {
  const measureAlone = () => measureTogether(context, { connections: connections.slice(0, 1) });
  const measureAll = () => measureTogether(context, { connections, latency });
  const first = await (aloneFirst ? measureAlone() : measureAll());
  const second = await (aloneFirst ? measureAll() : measureAlone());
  context.signal.throwIfAborted(); // A round cut short has no throughput.
  const [alone, all] = aloneFirst ? [first, second] : [second, first];
  // A round cut short has no throughput.
  if (!alone.complete || !all.complete) return "stop";
  context.scalar("throughput", all.ratePerSecond);
  context.scalar("throughputAlone", alone.ratePerSecond);
  if (alone.ratePerSecond > 0) {
    const value = all.ratePerSecond / alone.ratePerSecond;
    context.scalar("speedup", value);
  }
  if (all.ratePerSecond > 0) {
    context.scalar("fairness", jainIndex(all.clientRates));
  }
}

/** All the clients of a shard at once: none is alone while those of other shards call. */
async function measureShare(
  context: Context,
  clients: { connections: readonly Connection[]; latency: DistributionRecorder },
): Promise<"stop" | void> {
  const all = await runTogether(context, clients);
  context.signal.throwIfAborted(); // A round cut short has no throughput.
  if (!all.complete) return "stop";
  context.scalar("throughput", all.ratePerSecond);
}

function noteUntold(context: Context): void {
  context.notMeasured("speedup", "a shard's clients are never alone with the server");
  context.notMeasured("fairness", "a shard sees the rates of its own clients only");
}
