import type { SessionOptions } from "../../lib/client/target.ts";
import type { Connection } from "../../lib/client/connection.ts";
import {
  type MetricSpec,
  type Parameters,
  type Procedure,
  type ScenarioContext,
  TIMES,
} from "../../lib/run/scenario.ts";
import { noteOpenings } from "../../lib/run/note_relay.ts";
import { randomStream } from "../../lib/stats/random.ts";
import { fullJitterMs, runStorm, servedShareNs, type StormResult } from "./storm.ts";

interface ReconnectStormParameters extends Parameters {
  /** `null`: {@linkcode CROWD}, where the server is on this machine and holds so many; else as one address. */
  connections: number | null;
  /** How long clients try to come back. */
  patienceMs: number;
}

type Context = ScenarioContext<ReconnectStormParameters>;

/** So many clients have a 99th percentile. */
const CROWD = 100;
/** Clients that share a source address: a usual limit is 10. */
const PER_ADDRESS = 8;
/** A client that does not back off pauses only to keep the load bounded. */
const IMMEDIATE_RETRY_MS = 10;
const BACKOFF = { baseMs: 50, capMs: 2_000 };

/** How the clients lose their connections, and how they come back. */
const PHASES = [
  { name: "DropImmediate", what: "a drop, retrying at once", isRestart: false, backsOff: false },
  { name: "DropBackoff", what: "a drop, with back-off", isRestart: false, backsOff: true },
  {
    name: "RestartImmediate",
    what: "a restart, retrying at once",
    isRestart: true,
    backsOff: false,
  },
  { name: "RestartBackoff", what: "a restart, with back-off", isRestart: true, backsOff: true },
] as const;
type Phase = typeof PHASES[number];

const SERVED: MetricSpec = { kind: "scalar", unit: "ns", better: "lower" };

export const reconnectStorm: Procedure<ReconnectStormParameters> = {
  kind: "procedure",
  name: "reconnect-storm",
  title: "Reconnect storm",
  question: "When all clients lose their connections at once, how soon are they served again?",
  metrics: {
    recovery: TIMES,
    lastServed: SERVED,
    served99: SERVED,
    handshakes: { kind: "scalar", unit: "handshakes", better: null },
    refused: { kind: "scalar", unit: "attempts", better: "lower" },
  },
  headline: { metric: "recovery", at: { phase: "DropBackoff" } },
  gates: [],
  profiles: ["thorough"],
  takes: () => ({ epochMs: 250 }),
  fillsServer: true,
  defaults: {
    quick: { connections: 8, patienceMs: 5_000 },
    standard: { connections: 8, patienceMs: 10_000 },
    thorough: { connections: null, patienceMs: 10_000 },
    phase2: { connections: 5, patienceMs: 10_000 },
  },
  overloads: true,
  warmsUp: false,

  async begin(context) {
    const phases = PHASES.filter(({ isRestart }) => !isRestart || context.bundled !== null);
    if (context.bundled === null) {
      context.notMeasured("a restart of the server", "only the bundled server can be restarted");
    }
    noteOpenings(context);
    const count = await chooseCount(context);
    const measured = new Set<Phase>();
    return {
      async epoch() {
        // In turns, so that neither way of coming back is always the first.
        for (const phase of context.epoch % 2 === 1 ? phases : phases.toReversed()) {
          if (await storm(context, { phase, count })) {
            measured.add(phase);
            continue;
          }
          for (const { what } of phases.filter((one) => one !== phase && !measured.has(one))) {
            context.notMeasured(nameOf(what, count), "the clients did not come back before");
          }
          return "stop";
        }
      },
    };
  },
};

function nameOf(what: string, count: number): string {
  return `${count < CROWD ? "all" : "99 % of the"} clients served again after ${what}`;
}

/** As many clients as asked for; else {@linkcode CROWD}, if the server holds so many. */
async function chooseCount(context: Context): Promise<number> {
  const { parameters: { connections }, target } = context;
  if (connections !== null) return connections;
  await using stack = new AsyncDisposableStack();
  const { failure } = target.isLoopback
    ? await openCrowd(context, { count: CROWD, stack })
    : { failure: "the clients share an address, as the server is on another machine" };
  if (failure === null) return CROWD;
  context.notMeasured("served99", `it takes ${CROWD} clients: ${failure}`);
  return PER_ADDRESS;
}

/** Connects clients, all at once: on this machine, every few of them from an address of their own. */
async function openCrowd(
  { target, ledger, signal }: Context,
  { count, stack }: { count: number; stack: AsyncDisposableStack },
) {
  const addresses = target.isLoopback ? Math.ceil(count / PER_ADDRESS) : 1;
  const sources = Array.from(
    { length: addresses },
    (_, index): SessionOptions =>
      index === 0 ? {} : { client: stack.use(target.clientFrom(`127.0.0.${index + 1}`)) },
  );
  const connect = (client: number) =>
    target.connect(ledger, sources[Math.floor(client / PER_ADDRESS) % addresses]);
  const settled = await Promise.allSettled(Array.from({ length: count }, (_, nth) => connect(nth)));
  const connections = settled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  stack.defer(() => closeAll(connections));
  signal.throwIfAborted();
  const failed = settled.find((one) => one.status === "rejected");
  return { connect, connections, failure: failed === undefined ? null : failed.reason.message };
}

/** One storm of new clients. Returns whether enough of them were served again. */
async function storm(
  context: Context,
  { phase, count }: { phase: Phase; count: number },
): Promise<boolean> {
  const { parameters: { patienceMs }, seed, epoch, bundled, signal } = context;
  const { isRestart, backsOff } = phase;
  await using stack = new AsyncDisposableStack();
  const { connect, connections, failure } = await openCrowd(context, { count, stack });
  const seen = connections.length;
  const name = "all clients connected";
  context.tally({ kind: "connected", name, seen, wanted: count, why: failure });
  if (failure !== null) return false;
  const streams = connections.map((_, client) =>
    randomStream(seed, `reconnect-storm/${phase.name}/${epoch}/${client}`)
  );
  const restart = isRestart
    ? bundled!.restart().then(() => null, (error: Error) => error.message)
    : Promise.resolve(null);
  const result = await runStorm(context, {
    ends: connections.map((connection) => isRestart ? connection.closed : connection.close()),
    connect,
    delayMs(client, attempt) {
      if (backsOff) return fullJitterMs(attempt, { ...BACKOFF, random: streams[client]! });
      return attempt === 0 ? 0 : IMMEDIATE_RETRY_MS;
    },
    patienceMs,
  });
  stack.defer(() => closeAll(result.connections));
  signal.throwIfAborted();
  if (result.servedNs.length === count) await restart;
  // Of a restart that has not ended by now, nothing more is expected.
  const hanging = Promise.resolve("the restart of the server has not ended");
  const refusal = await Promise.race([restart, hanging]) ?? result.refusal;
  return record(context, { phase, count, result: { ...result, refusal } });
}

async function closeAll(connections: readonly Connection[]): Promise<void> {
  await Promise.allSettled(connections.map((connection) => connection.close()));
}

function record(
  context: Context,
  { phase, result, count }: { phase: Phase; result: StormResult; count: number },
): boolean {
  const at = { phase: phase.name };
  const { servedNs, refusal, failedCall } = result;
  const served99Ns = servedShareNs(servedNs, count);
  context.distribution("recovery", { at }).recordAll(Float64Array.from(servedNs));
  context.scalar("handshakes", result.peakHandshakes, { at });
  context.scalar("refused", result.refused, { at });
  if (servedNs.length === count) context.scalar("lastServed", servedNs.at(-1)!, { at });
  if (served99Ns !== null && count >= CROWD) context.scalar("served99", served99Ns, { at });
  const isOvercome = served99Ns !== null;
  const why = `${servedNs.length} of ${count} clients: ${refusal ?? failedCall ?? "no attempt"}`;
  context.tally({
    kind: "servedAgain",
    name: nameOf(phase.what, count),
    seen: isOvercome ? 1 : 0,
    wanted: 1,
    why: isOvercome ? null : why,
  });
  // A restart may take calls with it.
  if (!phase.isRestart) {
    context.tally({
      kind: "servedWhileUp",
      name: "every call served while the server was up",
      seen: servedNs.length,
      wanted: servedNs.length + result.failedCalls,
      why: failedCall,
    });
  }
  return isOvercome;
}
