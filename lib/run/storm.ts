/**
 * Clients that have lost their connections and come back, all at once or each in its own time.
 *
 * @module
 */

import { wait } from "../load/pace.ts";
import type { Call } from "../client/call_book.ts";
import { ConnectError } from "../client/connect_error.ts";
import type { Connection } from "../client/connection.ts";
import type { ScenarioContext } from "./scenario.ts";

/** The share of the clients that has to be served again. */
const SERVED_SHARE = 0.99;

/** How the clients come back. */
export interface StormOptions {
  /** For each client, the end of its connection. */
  ends: readonly Promise<unknown>[];
  /** How long a client waits before an attempt (from 0), in milliseconds. */
  delayMs: (client: number, attempt: number) => number;
  /** Time from the beginning of the storm in which an attempt may begin, in milliseconds. */
  patienceMs: number;
}

/** What became of them. */
export interface StormResult {
  /** The new connections of those that were served again. */
  connections: Connection[];
  /** From the beginning of the storm to the first good reply, in nanoseconds, the soonest first. */
  servedNs: number[];
  /** The most handshakes that were under way at once, from the dial to its end. */
  peakHandshakes: number;
  /** Attempts that ended without a session. */
  refused: number;
  /** Calls in new sessions that were not served. */
  failedCalls: number;
  /** The first cause of either, `null` where there was none. */
  firstFailure: string | null;
}

/**
 * The time until 99 % of the clients were served again: that of the last of so many that are at least
 * that share. `null` where fewer were.
 */
export function servedShareNs(servedNs: readonly number[], clients: number): number | null {
  return servedNs.toSorted((a, b) => a - b)[Math.ceil(clients * SERVED_SHARE) - 1] ?? null;
}

/**
 * Lets every client try, from the end of its connection on, until a call of its is served or its patience is
 * over. Counts in the context's ledger. The caller closes the connections.
 *
 * @throws nothing for what the server does; the signal's reason, if the run is interrupted
 */
export async function runStorm(
  context: ScenarioContext,
  options: StormOptions,
): Promise<StormResult> {
  const storm = new Storm(context, options);
  const { result } = storm;
  await Promise.all(options.ends.map((end, client) => storm.comeBack(client, end)));
  result.servedNs.sort((a, b) => a - b);
  if (!context.signal.aborted) return result;
  await Promise.allSettled(result.connections.map((connection) => connection.close()));
  throw context.signal.reason;
}

/** The state of one storm. */
class Storm {
  readonly result: StormResult = {
    connections: [],
    servedNs: [],
    peakHandshakes: 0,
    refused: 0,
    failedCalls: 0,
    firstFailure: null,
  };
  readonly #context: ScenarioContext;
  readonly #options: StormOptions;
  readonly #startNs: number;
  #handshakes = 0;

  constructor(context: ScenarioContext, options: StormOptions) {
    this.#context = context;
    this.#options = options;
    this.#startNs = context.clock.nowNs();
  }

  async comeBack(client: number, end: Promise<unknown>): Promise<void> {
    const { delayMs, patienceMs } = this.#options;
    await Promise.race([end, wait(patienceMs, this.#context)]);
    for (let attempt = 0; !this.#isOver; attempt++) {
      await wait(delayMs(client, attempt), this.#context);
      if (this.#isOver) return;
      const connection = await this.#connect();
      if (connection === null) continue;
      const status = await this.#tryCall(connection);
      // One that a limiter refuses would only use up more of its budget.
      if (status === "ok" || status === "rateLimited") return;
    }
  }

  get #isOver(): boolean {
    const { clock, signal } = this.#context;
    return signal.aborted || clock.nowNs() - this.#startNs > this.#options.patienceMs * 1e6;
  }

  async #connect(): Promise<Connection | null> {
    const { target, ledger, signal } = this.#context;
    this.#handshakes++;
    this.result.peakHandshakes = Math.max(this.result.peakHandshakes, this.#handshakes);
    try {
      return await target.connect(ledger);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (signal.aborted) return null;
      this.result.refused++;
      this.result.firstFailure ??= error.message;
      return null;
    } finally {
      this.#handshakes--;
    }
  }

  /** Makes the call; a connection that does not serve it is closed. Gives the call's end, `null`: not made. */
  async #tryCall(connection: Connection): Promise<Call["status"] | null> {
    const call = connection.isOpen ? await connection.call(this.#context.workload()) : null;
    if (call?.status === "ok") {
      this.result.servedNs.push(call.endedNs - this.#startNs);
      this.result.connections.push(connection);
      return call.status;
    }
    this.result.failedCalls++;
    this.result.firstFailure ??= call === null
      ? "the connection was closed before a call"
      : `a call ended as ${call.status}${call.errorMessage === "" ? "" : `: ${call.errorMessage}`}`;
    await connection.close();
    return call?.status ?? null;
  }
}
