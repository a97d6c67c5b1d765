/**
 * Clients that have lost their connections and come back, all at once or each in its own time.
 *
 * @module
 */

import { ConnectError, isOwnLimit } from "../../lib/client/connect_error.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { wait } from "../../lib/load/pace.ts";
import { describeFailure } from "../../lib/run/describe_end.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import type { RandomStream } from "../../lib/stats/random.ts";

/** How the clients come back. */
export interface StormOptions {
  /** For each client, the end of its connection. */
  ends: readonly Promise<unknown>[];
  /** Opens a session of a client's. */
  connect: (client: number) => Promise<Connection>;
  /** How long a client waits before an attempt (from 0), in milliseconds. */
  delayMs: (client: number, attempt: number) => number;
  /** Time from the beginning of the storm in which an attempt may begin, in milliseconds. */
  patienceMs: number;
}

/** What became of them. */
export interface StormResult {
  /** The new connections of those that were served again, in the order of the clients. */
  connections: Connection[];
  /** From the beginning of the storm to the first good reply, in nanoseconds, the soonest first. */
  servedNs: number[];
  /** The most handshakes that were under way at once, from the dial to its end. */
  peakHandshakes: number;
  /** Attempts that ended without a session, and the first cause. */
  refused: number;
  refusal: string | null;
  /** Calls in new sessions that were not served, and the first cause. */
  failedCalls: number;
  failedCall: string | null;
}

/** The share of the clients that has to be served again. */
const SERVED_SHARE = 0.99;

/**
 * The time until 99 % of the clients were served again: that of the last of so many that are at least
 * that share. `null` where fewer were.
 */
export function servedShareNs(servedNs: readonly number[], clients: number): number | null {
  return servedNs.toSorted((a, b) => a - b)[Math.ceil(clients * SERVED_SHARE) - 1] ?? null;
}

/**
 * How long to wait before an attempt (from 0), in milliseconds: exponential back-off with full jitter,
 * uniform from 0 to min(cap, base x 2^attempt). M. Brooker: Exponential Backoff And Jitter, AWS
 * Architecture Blog, 2015.
 */
export function fullJitterMs(
  attempt: number,
  { baseMs, capMs, random }: { baseMs: number; capMs: number; random: RandomStream },
): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}

/**
 * Lets every client try, from the end of its connection on, until a call of its is served, its patience is
 * over or the run is interrupted. The caller closes the connections. Never rejects for what the server does.
 */
export async function runStorm(
  context: ScenarioContext,
  { ends, connect, delayMs, patienceMs }: StormOptions,
): Promise<StormResult> {
  const { clock, signal, workload } = context;
  const startNs = clock.nowNs();
  const isOver = () => signal.aborted || clock.nowNs() - startNs > patienceMs * 1e6;
  const served: { connection: Connection; ns: number }[] = [];
  const counts = { peakHandshakes: 0, refused: 0, failedCalls: 0 };
  const causes = { refusal: null as string | null, failedCall: null as string | null };
  let handshakes = 0;

  async function tryConnect(client: number): Promise<Connection | null> {
    counts.peakHandshakes = Math.max(counts.peakHandshakes, ++handshakes);
    try {
      return await connect(client);
    } catch (error) {
      if (!(error instanceof ConnectError) || isOwnLimit(error)) throw error;
      counts.refused++;
      causes.refusal ??= error.message;
      return null;
    } finally {
      handshakes--;
    }
  }

  async function comeBack(end: Promise<unknown>, client: number): Promise<void> {
    await Promise.race([end, wait(patienceMs, context)]);
    for (let attempt = 0; !isOver(); attempt++) {
      await wait(delayMs(client, attempt), context);
      const connection = isOver() ? null : await tryConnect(client);
      if (connection === null) continue;
      const call = connection.isOpen ? await connection.call(workload()) : null;
      if (call?.status === "ok") {
        served[client] = { connection, ns: call.endedNs - startNs };
        return;
      }
      await connection.close();
      counts.failedCalls++;
      causes.failedCall ??= await describeFailure(call, connection);
      // Another call would only use up more of a rate limiter's budget.
      if (call?.status === "rateLimited") return;
    }
  }

  await Promise.all(ends.map(comeBack));
  const present = served.filter((one) => one !== undefined);
  return {
    ...counts,
    ...causes,
    connections: present.map(({ connection }) => connection),
    servedNs: present.map(({ ns }) => ns).sort((a, b) => a - b),
  };
}
