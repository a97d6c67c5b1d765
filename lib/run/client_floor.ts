/**
 * The client's floor: a scenario's own loop against a server that does nothing. No server can look
 * faster than that through this client.
 *
 * @module
 */

import type { ClientFloor } from "../schema.ts";
import type { Connection } from "../client/connection.ts";
import { openLedger } from "../client/ledger.ts";
import { Target, type TargetOptions } from "../client/target.ts";
import { exai } from "../protocols/exai.ts";
import { type NullServer, startNullServer } from "../server/null_server.ts";
import { DistributionRecorder } from "../stats/summary.ts";
import type { FloorOptions, LoopContext, Parameters } from "./scenario.ts";
import { collectGarbage } from "./rounds.ts";

const ROUND_MS = 100;
/** After one that is discarded. */
const ROUNDS = 3;
/** A server that does nothing answers in less than a millisecond. */
const TIMEOUT_MS = 2_000;

/** Measures floors, on one null server that is started for the first of them. Dispose of it. */
export class FloorGauge implements AsyncDisposable {
  readonly #start: () => Promise<NullServer>;
  #server: Promise<NullServer> | null = null;

  constructor(options: { start?: () => Promise<NullServer> } = {}) {
    this.#start = options.start ?? startNullServer;
  }

  /**
   * Runs the loop against the null server in four rounds of 0.1 s: one to warm up, three of which the
   * best is given. Calls are as long as the scenario's, but always EXAI messages, at no capped rate, and in
   * ledgers of their own.
   *
   * @throws the signal's reason, if it is interrupted
   * @throws {Error} if the null server does not start or a round has no success; the message says why
   */
  async measure<P extends Parameters>(
    context: LoopContext<P>,
    { connections, round }: FloorOptions<P>,
  ): Promise<ClientFloor> {
    const { clock, signal } = context;
    collectGarbage();
    const { url } = await (this.#server ??= this.#start());
    signal.throwIfAborted();
    using target = nullTarget(url, { clock, signal });
    await using opened = new AsyncDisposableStack();
    const loop = loopContext(context);
    const clients: Connection[] = [];
    for (let index = 0; index < connections; index++) {
      clients.push(opened.use(await target.connect(loop.warmupLedger)));
    }
    using latency = new DistributionRecorder();
    const run = () => round(loop, { connections: clients, latency });
    await run();
    return { connections, ...await measureRounds({ latency, signal, run }) };
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

/** The rounds, and the best of their figures: whatever slows a round down is no bound. */
async function measureRounds({ latency, signal, run }: {
  latency: DistributionRecorder;
  signal: AbortSignal;
  run: () => Promise<number>;
}): Promise<Pick<ClientFloor, "throughput" | "latencyP50Ns">> {
  const rates: number[] = [];
  const medians: number[] = [];
  for (let index = 0; index < ROUNDS; index++) {
    collectGarbage();
    latency.startRound();
    const ratePerSecond = await run();
    signal.throwIfAborted();
    const { p50 } = latency.endRound();
    if (p50 === null || !(ratePerSecond > 0)) {
      throw new Error("Cannot tell the client's floor as the null server answered no call");
    }
    rates.push(ratePerSecond);
    medians.push(p50);
  }
  return { throughput: Math.max(...rates), latencyP50Ns: Math.min(...medians) };
}

/** The same work, counted apart from the target's, in short rounds, at no capped rate. */
function loopContext<P extends Parameters>(context: LoopContext<P>): LoopContext<P> {
  const { parameters, workload, clock, signal } = context;
  return {
    parameters: { ...parameters, messages: null, durationMs: ROUND_MS },
    workload,
    clock,
    signal,
    maxRatePerSecond: null,
    warmupLedger: openLedger(),
    ledger: openLedger(),
  };
}
