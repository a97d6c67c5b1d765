import type { Connection } from "../client/connection.ts";
import { openLedger } from "../client/ledger.ts";
import { Target, type TargetOptions } from "../client/target.ts";
import { exai } from "../protocols/exai.ts";
import type { NullServer } from "../server/null_server.ts";

/** The null server answers in less than a millisecond. */
const TIMEOUT_MS = 2_000;

/**
 * Connections to a null server, which starts on first use: through this client no server can look
 * faster. Dispose of it to stop the server.
 */
export class NullServerFloor implements AsyncDisposable {
  /** Not part of any report. */
  readonly ledgers = { warmupLedger: openLedger(), ledger: openLedger() };
  readonly #run;
  #server: Promise<NullServer> | null = null;

  constructor(run: { target: Target; startFloor: () => Promise<NullServer> }) {
    this.#run = run;
  }

  /**
   * Opens connections in the same way as those to the target; the stack closes them.
   *
   * @throws {Error} if the null server does not start
   */
  async open(
    count: number,
    { stack, relayed }: { stack: AsyncDisposableStack; relayed: boolean },
  ): Promise<readonly Connection[]> {
    const { url } = await (this.#server ??= this.#run.startFloor());
    const target = stack.use(nullTarget(url, this.#run.target.options));
    const connections: Connection[] = [];
    for (let index = 0; index < count; index++) {
      connections.push(stack.use(await target.connect(this.ledgers.warmupLedger, { relayed })));
    }
    return connections;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = await this.#server?.catch(() => null);
    await server?.stop();
  }
}

/** The null server as a target. */
export function nullTarget(
  url: string,
  { clock, signal, relay }: Pick<TargetOptions, "clock" | "signal" | "relay">,
): Target {
  return new Target({
    ...{ url, protocol: exai, token: null, headers: {}, subprotocols: [], caCert: null },
    ...{ timeoutMs: TIMEOUT_MS, clock, signal, relay },
  });
}
