/**
 * The client's floor: the same slices against a server that does nothing. No server can look faster than
 * that through this client.
 *
 * @module
 */

import type { Clock } from "../client/clock.ts";
import type { Connection } from "../client/connection.ts";
import { openLedger } from "../client/ledger.ts";
import { Target, type TargetOptions } from "../client/target.ts";
import { exai } from "../protocols/exai.ts";
import type { NullServer } from "../server/null_server.ts";

/** A server that does nothing answers in less than a millisecond. */
const TIMEOUT_MS = 2_000;

/** Opens connections to one null server, which is started for the first of them. Dispose of it. */
export class NullServerFloor implements AsyncDisposable {
  readonly #options: { clock: Clock; signal: AbortSignal };
  readonly #start: () => Promise<NullServer>;
  #server: Promise<NullServer> | null = null;

  constructor(
    options: { clock: Clock; signal: AbortSignal; startFloor: () => Promise<NullServer> },
  ) {
    this.#options = options;
    this.#start = options.startFloor;
  }

  /** Its calls are in no ledger of the report. */
  readonly ledgers = { warmupLedger: openLedger(), ledger: openLedger() };

  /**
   * Opens connections; the stack closes them.
   *
   * @throws {Error} if the null server does not start
   */
  async open(count: number, stack: AsyncDisposableStack): Promise<readonly Connection[]> {
    const { url } = await (this.#server ??= this.#start());
    const target = stack.use(nullTarget(url, this.#options));
    const connections: Connection[] = [];
    for (let index = 0; index < count; index++) {
      connections.push(stack.use(await target.connect(this.ledgers.warmupLedger)));
    }
    return connections;
  }

  /** Stops the null server, if it was started. */
  async [Symbol.asyncDispose](): Promise<void> {
    const server = await this.#server?.catch(() => null);
    await server?.stop();
  }
}

/** The null server as a target; it asks for no token. */
export function nullTarget(
  url: string,
  { clock, signal }: Pick<TargetOptions, "clock" | "signal">,
): Target {
  return new Target({
    url,
    protocol: exai,
    token: null,
    headers: {},
    subprotocols: [],
    caCert: null,
    timeoutMs: TIMEOUT_MS,
    clock,
    signal,
  });
}
