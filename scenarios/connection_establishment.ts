import {
  LIGHT_PROFILES,
  type Parameters,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import { sampleSequential } from "../lib/stats/sampling.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

interface ConnectionEstablishmentParameters extends Parameters {
  /** Measured connects in each round. */
  connects: number;
}

type Context = ScenarioContext<ConnectionEstablishmentParameters>;

/** After this many failed connects in a row, the rest would fail too. */
const FAILURE_LIMIT = 3;

export const connectionEstablishment: Scenario<ConnectionEstablishmentParameters> = {
  name: "connection-establishment",
  question: "How long does it take to open a session, and to close it?",
  metrics: {
    connect: TIMES,
    authenticate: TIMES,
    establish: TIMES,
    close: TIMES,
    coldEstablish: { kind: "scalar", unit: "ns", better: "lower" },
  },
  profiles: LIGHT_PROFILES,
  defaults: {
    quick: { rounds: 5, connects: 20 },
    standard: { rounds: 10, connects: 50 },
    thorough: { rounds: 20, connects: 100 },
    phase2: { rounds: 5, connects: 10 },
  },

  async run(context) {
    const { rounds, connects } = context.parameters;
    const sampler = createSampler(context);
    await context.watched(() =>
      forEachRound(context, {
        recorders: sampler.recorders,
        round: async () => {
          await sampler.sampleRound(connects);
          return sampler.failedInRow() >= FAILURE_LIMIT ? "stop" : undefined;
        },
      })
    );
    const { opened, failures } = sampler.counts;
    context.check({
      name: "every connection opened and closed cleanly",
      passed: opened === rounds * connects,
      expected: `${rounds * connects} of ${rounds * connects}`,
      observed: `${opened} of ${rounds * connects}` +
        (failures.length === 0 ? "" : ` (first failure: ${failures[0]})`),
    });
    return { status: "measured" };
  },
};

/** The times of the handshake, where the protocol has one beyond WebSocket's own. */
function handshakeTimes(context: Context): DistributionRecorder | null {
  const { target } = context;
  const { name, open } = target.options.protocol;
  if (open(target.newCredentials()).read !== null) return context.distribution("authenticate");
  context.notMeasured("authenticate", `the ${name} protocol has no handshake of its own`);
  return null;
}

/** Opens and closes sessions, one at a time, keeping the times of each step. */
function createSampler(context: Context) {
  const connect = context.distribution("connect");
  const authenticate = handshakeTimes(context);
  const establish = context.distribution("establish");
  const close = context.distribution("close");
  const counts = { opened: 0, failures: [] as string[] };
  let failedInRow = 0;
  let cold = true;

  /** One session; `null` if it failed. */
  async function openAndClose() {
    try {
      const connection = await context.target.connect(context.ledger);
      const { code, durationNs } = await connection.close();
      if (code !== 1000 && code !== 1005) throw new Error(`closed with ${code}`);
      failedInRow = 0;
      return { ...connection.timing, closeNs: durationNs };
    } catch (error) {
      context.signal.throwIfAborted();
      failedInRow++;
      counts.failures.push(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  async function sampleRound(connects: number): Promise<void> {
    let measuring = false; // mitata's first call is not part of its samples.
    const establishedNs = await sampleSequential(async () => {
      if (context.signal.aborted || failedInRow >= FAILURE_LIMIT) return Infinity;
      const times = await openAndClose();
      if (!measuring) {
        measuring = true;
        if (cold && times !== null) {
          context.scalar("coldEstablish", times.establishNs);
        }
        cold = false;
        return -1;
      }
      if (times === null) return -1;
      counts.opened++;
      connect.record(times.connectNs);
      authenticate?.record(times.authenticateNs);
      close.record(times.closeNs);
      return times.establishNs;
    }, { maxSamples: connects });
    for (const ns of establishedNs) establish.record(ns);
  }

  return {
    counts,
    recorders: [connect, establish, close, ...(authenticate === null ? [] : [authenticate])],
    sampleRound,
    failedInRow: () => failedInRow,
  };
}
