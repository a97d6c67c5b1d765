import { ConnectError, isOwnLimit } from "../lib/client/connect_error.ts";
import type { Connection } from "../lib/client/connection.ts";
import type { SessionOptions } from "../lib/client/target.ts";
import { wait } from "../lib/load/pace.ts";
import { describeFailure } from "../lib/run/describe_end.ts";
import { noteOpenings } from "../lib/run/note_relay.ts";
import type { MetricSpec, Procedure, ScenarioContext } from "../lib/run/scenario.ts";
import { TIMES } from "../lib/run/scenario.ts";
import { type RandomStream, randomStream } from "../lib/stats/random.ts";

const STANDARD = {
  /** `null`: {@linkcode CROWD} if a local server holds that many, else {@linkcode PER_ADDRESS}. */
  connections: 8 as number | null,
  /** How long clients try to reconnect. */
  patienceMs: 10_000,
};

type Context = ScenarioContext<typeof STANDARD>;

/** Minimum clients for a 99th percentile. */
const CROWD = 100;
/** Share of the clients that must be served again. */
const SERVED_SHARE = 0.99;
/** Clients per source address: a common limit is 10. */
const PER_ADDRESS = 8;
/** Pause of clients without back-off, only to keep the load bounded. */
const IMMEDIATE_RETRY_MS = 10;
const BACKOFF_BASE_MS = 50;
const BACKOFF_CAP_MS = 2_000;

/** How the clients lose their connections and how they reconnect. */
const PHASES = [
  { name: "DropImmediate", what: "a drop, retrying at once", restarts: false, backsOff: false },
  { name: "DropBackoff", what: "a drop, with back-off", restarts: false, backsOff: true },
  {
    name: "RestartImmediate",
    what: "a restart, retrying at once",
    restarts: true,
    backsOff: false,
  },
  { name: "RestartBackoff", what: "a restart, with back-off", restarts: true, backsOff: true },
];
type Phase = typeof PHASES[number];

const SERVED: MetricSpec = { kind: "scalar", unit: "ns", better: "lower" };

export const reconnectStorm: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "reconnect-storm",
  question: "When all clients lose their connections at once, how soon are they served again?",
  metrics: {
    recovery: TIMES,
    lastServed: SERVED,
    served99: SERVED,
    handshakes: { kind: "scalar", unit: "handshakes", better: null },
    refused: { kind: "scalar", unit: "attempts", better: "lower" },
  },
  headline: { metric: "recovery", at: { phase: "DropBackoff" } },
  profiles: ["thorough"],
  takes: () => ({ epochMs: 250 }),
  fillsServer: true,
  defaults: {
    quick: { ...STANDARD, patienceMs: 5_000 },
    standard: STANDARD,
    thorough: { ...STANDARD, connections: null },
    phase2: { ...STANDARD, connections: 5 },
  },
  overloads: true,
  warmsUp: false,

  async begin(context) {
    const phases = PHASES.filter(({ restarts }) => !restarts || context.bundled !== null);
    if (context.bundled === null) {
      context.notMeasured("a restart of the server", "only the bundled server can be restarted");
    }
    noteOpenings(context);
    const count = await chooseCount(context);
    const measured = new Set<Phase>();
    return {
      async epoch() {
        // The order alternates so that drift favours no phase.
        for (const phase of context.epoch % 2 === 1 ? phases : phases.toReversed()) {
          if (await storm(context, phase, count)) {
            measured.add(phase);
            continue;
          }
          for (const { what } of phases.filter((one) => one !== phase && !measured.has(one))) {
            context.notMeasured(
              nameOf(what, count),
              "the clients did not reconnect in an earlier storm",
            );
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

/** The number of clients asked for; if none, {@linkcode CROWD} if the server holds that many. */
async function chooseCount(context: Context): Promise<number> {
  const { parameters: { connections }, target } = context;
  if (connections !== null) return connections;
  await using stack = new AsyncDisposableStack();
  const { failure } = target.isLoopback
    ? await openCrowd(context, CROWD, stack)
    : { failure: "the clients share one address, because the server is on another machine" };
  if (failure === null) return CROWD;
  context.notMeasured("served99", `needs ${CROWD} clients: ${failure}`);
  return PER_ADDRESS;
}

/** Connects all clients simultaneously, on loopback from several source addresses. */
async function openCrowd(
  { target, ledger, signal }: Context,
  count: number,
  stack: AsyncDisposableStack,
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

async function closeAll(connections: readonly Connection[]): Promise<void> {
  await Promise.allSettled(connections.map((connection) => connection.close()));
}

/**
 * Runs one storm with new clients: each retries after the end of its connection until a call is
 * served, its patience runs out or the run is interrupted. Server failures never reject. Returns
 * true if enough clients were served again.
 */
async function storm(context: Context, phase: Phase, count: number): Promise<boolean> {
  const { seed, epoch, bundled, signal, clock, workload, parameters: { patienceMs } } = context;
  const { restarts, backsOff, name, what } = phase;
  await using stack = new AsyncDisposableStack();
  const { connect, connections, failure } = await openCrowd(context, count, stack);
  const connected = { kind: "connected", name: "all clients connected", wanted: count };
  context.tally({ ...connected, seen: connections.length, why: failure });
  if (failure !== null) return false;
  let [handshakes, peakHandshakes, refused, failedCalls] = [0, 0, 0, 0];
  let refusal: string | null = null;
  let failedCall: string | null = null;
  const renewed: Connection[] = [];
  stack.defer(() => closeAll(renewed));
  /** From the beginning to the first good reply of each client that was served again. */
  const servedNs: number[] = [];

  async function tryConnect(client: number): Promise<Connection | null> {
    peakHandshakes = Math.max(peakHandshakes, ++handshakes);
    try {
      return await connect(client);
    } catch (error) {
      if (!(error instanceof ConnectError) || isOwnLimit(error)) throw error;
      refused++;
      refusal ??= error.message;
      return null;
    } finally {
      handshakes--;
    }
  }

  async function comeBack(end: Promise<unknown>, client: number): Promise<void> {
    const random = randomStream(seed, `reconnect-storm/${name}/${epoch}/${client}`);
    await Promise.race([end, wait(patienceMs, context)]);
    for (let attempt = 0; !isOver(); attempt++) {
      const pauseMs = attempt === 0 ? 0 : IMMEDIATE_RETRY_MS;
      await wait(backsOff ? fullJitterMs(attempt, random) : pauseMs, context);
      const connection = isOver() ? null : await tryConnect(client);
      if (connection === null) continue;
      const call = connection.isOpen ? await connection.call(workload()) : null;
      if (call?.status === "ok") {
        renewed.push(connection);
        return void servedNs.push(call.endedNs - startNs);
      }
      await connection.close();
      failedCalls++;
      failedCall ??= await describeFailure(call, connection);
      // Another call would only use up more of the rate limiter's budget.
      if (call?.status === "rateLimited") return;
    }
  }

  const restart = restarts
    ? bundled!.restart().then(() => null, (error: Error) => error.message)
    : Promise.resolve(null);
  const ends = connections.map((one): Promise<unknown> => restarts ? one.closed : one.close());
  const startNs = clock.nowNs();
  const isOver = () => signal.aborted || clock.nowNs() - startNs > patienceMs * 1e6;
  const settled = await Promise.allSettled(ends.map(comeBack));
  signal.throwIfAborted();
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  const seen = servedNs.length;
  if (seen === count) await restart;
  // A restart that has not ended by now is not waited for.
  const hanging = Promise.resolve("the server has not finished restarting");
  const why = await Promise.race([restart, hanging]) ?? refusal ?? failedCall ?? "no attempt";
  const at = { phase: name };
  const served99Ns = servedShareNs(servedNs, count);
  const recovery = context.distribution("recovery", { at });
  recovery.recordAll(Float64Array.from(servedNs));
  recovery.censor(count - seen, patienceMs * 1e6);
  context.scalar("handshakes", peakHandshakes, { at });
  context.scalar("refused", refused, { at });
  if (seen === count) context.scalar("lastServed", Math.max(...servedNs), { at });
  if (served99Ns !== null && count >= CROWD) context.scalar("served99", served99Ns, { at });
  context.tally({
    kind: "servedAgain",
    name: nameOf(what, count),
    why: served99Ns === null ? `${seen} of ${count} clients: ${why}` : null,
  });
  // A restart can lose calls.
  if (!restarts) {
    const name = "every call served while the server was up";
    const wanted = seen + failedCalls;
    context.tally({ kind: "servedWhileUp", name, seen, wanted, why: failedCall });
  }
  return served99Ns !== null;
}

/** The time until 99 % of the clients (rounded up) were served again; `null` if fewer were. */
export function servedShareNs(servedNs: readonly number[], clients: number): number | null {
  return servedNs.toSorted((a, b) => a - b)[Math.ceil(clients * SERVED_SHARE) - 1] ?? null;
}

/**
 * Wait before an attempt (from 0): exponential back-off with full jitter, uniform from 0 to
 * min(cap, base x 2^attempt). M. Brooker: Exponential Backoff And Jitter, AWS Architecture Blog,
 * 2015.
 */
export function fullJitterMs(attempt: number, random: RandomStream): number {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt);
}
