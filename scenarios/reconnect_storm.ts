import { fullJitterMs } from "../lib/load/backoff.ts";
import type { Connection } from "../lib/client/connection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  type MetricSpec,
  type Parameters,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";
import { openSessions } from "../lib/run/sessions.ts";
import { runStorm, servedShareNs, type StormResult } from "../lib/run/storm.ts";
import { randomStream } from "../lib/stats/random.ts";

interface ReconnectStormParameters extends Parameters {
  connections: number;
  /** How long clients try to come back. */
  patienceMs: number;
}

type Context = ScenarioContext<ReconnectStormParameters>;

/** Between two attempts of a client that does not back off: nothing, but the load must be bounded. */
const IMMEDIATE_RETRY_MS = 10;
const BACKOFF = { baseMs: 50, capMs: 2_000 };

/** How the clients lose their connections, and how they come back. */
const PHASES = [
  { name: "DropImmediate", what: "a drop, immediate", isRestart: false, backsOff: false },
  { name: "DropBackoff", what: "a drop, with back-off", isRestart: false, backsOff: true },
  { name: "RestartImmediate", what: "a restart, immediate", isRestart: true, backsOff: false },
  { name: "RestartBackoff", what: "a restart, with back-off", isRestart: true, backsOff: true },
] as const;
type Phase = typeof PHASES[number];

const SERVED_99: MetricSpec = { kind: "scalar", unit: "ns", better: "lower" };
const HANDSHAKES: MetricSpec = { kind: "scalar", unit: "handshakes", better: null };
const REFUSED: MetricSpec = { kind: "scalar", unit: "attempts", better: "lower" };

export const reconnectStorm: Scenario<ReconnectStormParameters> = {
  name: "reconnect-storm",
  question: "When all clients lose their connections at once, how soon are they served again?",
  metrics: Object.fromEntries(PHASES.flatMap(({ name }) => [
    [`recovery${name}`, TIMES],
    [`served99${name}`, SERVED_99],
    [`handshakes${name}`, HANDSHAKES],
    [`refused${name}`, REFUSED],
  ])),
  profiles: ["thorough"],
  defaults: {
    quick: { rounds: 2, connections: 8, patienceMs: 5_000 },
    standard: { rounds: 5, connections: 8, patienceMs: 10_000 },
    thorough: { rounds: 10, connections: 8, patienceMs: 10_000 },
    phase2: { rounds: 2, connections: 5, patienceMs: 10_000 },
  },
  overloads: true,

  async run(context) {
    await using stack = new AsyncDisposableStack();
    const clients = await openSessions(context, { count: context.parameters.connections, stack });
    if (clients === null) return { status: "measured" };
    for (const client of clients) client.useLedger(context.ledger);
    const phases = PHASES.filter(({ isRestart }) => !isRestart || context.bundled !== null);
    const storms = new Map<Phase, StormResult[]>(phases.map((phase) => [phase, []]));
    const crowd = { clients };
    stack.defer(() => closeAll(crowd.clients));
    await context.watched(() =>
      forEachRound(context, {
        recorders: phases.map(({ name }) => context.distribution(`recovery${name}`)),
        round: async (index) => {
          // In turns, so that neither way of coming back is always the first.
          for (const phase of index % 2 === 0 ? phases : phases.toReversed()) {
            const result = await measure(context, { phase, crowd, index });
            storms.get(phase)!.push(result);
            record(context, phase, result);
            if (result.servedNs.length < context.parameters.connections) return "stop";
          }
        },
      })
    );
    for (const [phase, results] of storms) checkServed(context, { phase, results });
    checkCalls(context, storms);
    if (context.bundled === null) {
      context.notMeasured("a restart of the server", "only the bundled server can be restarted");
    }
    return { status: "measured" };
  },
};

async function closeAll(connections: readonly Connection[]): Promise<void> {
  await Promise.allSettled(connections.map((connection) => connection.close()));
}

/** One storm; those who came back are the crowd of the next. */
async function measure(
  context: Context,
  { phase, crowd, index }: { phase: Phase; crowd: { clients: Connection[] }; index: number },
): Promise<StormResult> {
  const { parameters: { patienceMs }, seed, bundled } = context;
  const { clients } = crowd;
  const streams = clients.map((_, client) =>
    randomStream(seed, `reconnect-storm/${phase.name}/${index}/${client}`)
  );
  const restarting = phase.isRestart
    ? bundled!.restart().then(() => null, (error: Error) => error.message)
    : Promise.resolve(null);
  const ends = clients.map((client) => phase.isRestart ? client.closed : client.close());
  crowd.clients = [];
  try {
    const result = await runStorm(context, {
      ends,
      delayMs: (client, attempt) =>
        phase.backsOff
          ? fullJitterMs(attempt, { ...BACKOFF, random: streams[client]! })
          : attempt === 0
          ? 0
          : IMMEDIATE_RETRY_MS,
      patienceMs,
    });
    crowd.clients = result.connections;
    if (result.servedNs.length === clients.length) {
      await restarting; // It serves already.
      return result;
    }
    return { ...result, firstFailure: await settled(restarting) ?? result.firstFailure };
  } finally {
    await closeAll(clients);
  }
}

/** What a restart that has come to its end has to say; one that has not is not waited for. */
async function settled(restarting: Promise<string | null>): Promise<string | null> {
  return await Promise.race([
    restarting,
    Promise.resolve().then(() => "the restart has not come to its end"),
  ]);
}

function record(context: Context, { name }: Phase, result: StormResult): void {
  const recovery = context.distribution(`recovery${name}`);
  for (const ns of result.servedNs) recovery.record(ns);
  context.scalar(`handshakes${name}`, result.peakHandshakes);
  context.scalar(`refused${name}`, result.refused);
  const served99Ns = servedShareNs(result.servedNs, context.parameters.connections);
  if (served99Ns !== null) context.scalar(`served99${name}`, served99Ns);
}

function checkServed(
  context: Context,
  { phase, results }: { phase: Phase; results: readonly StormResult[] },
): void {
  const name = `99 % served again after ${phase.what}`;
  const { connections, patienceMs } = context.parameters;
  if (results.length === 0) return context.notMeasured(name, "the storm before was not overcome");
  const enough = results.filter(({ servedNs }) => servedShareNs(servedNs, connections) !== null);
  const short = results.find((result) => !enough.includes(result));
  context.check({
    name,
    passed: short === undefined,
    expected: `${results.length} of ${results.length} times, trying for ${patienceMs / 1000} s`,
    observed: `${enough.length} of ${results.length} times` +
      (short === undefined
        ? ""
        : ` (${short.servedNs.length} of ${connections} clients; first failure: ${
          short.firstFailure ?? "none"
        })`),
  });
}

/** While the server is up, a session that it accepts must serve; a restart may take calls along. */
function checkCalls(context: Context, storms: ReadonlyMap<Phase, readonly StormResult[]>): void {
  const results = [...storms].flatMap(([{ isRestart }, some]) => isRestart ? [] : some);
  const failed = results.reduce((sum, { failedCalls }) => sum + failedCalls, 0);
  context.check({
    name: "no call failed while the server was up",
    passed: failed === 0,
    expected: "0",
    observed: String(failed),
  });
}
