/**
 * What the layers of a call are measured by. Each does all that the one below it does, and one thing more; those
 * with another thread to wait for are driven by the same closed loop as a call, and timed in its way: from the
 * end of the exchange before, in whose handler this one begins, to the handler of its own answer.
 *
 * | layer | what it does more than the one below |
 * |---|---|
 * | dispatch | the bundled server's dispatch of the tool, as a unit test calls it (in batches) |
 * | codec | the client's and the server's half of writing and reading the call and its reply (in batches) |
 * | wakeup | wakes another thread and is woken by it: a ping-pong of empty messages |
 * | tcp | a question there and its answer back over loopback, as bytes that nobody reads |
 * | websocket | the same as texts in frames, between Deno's WebSocket here and there, read by a connection |
 * | routing | the same question, answered by the server under test |
 * | tool | the whole call |
 *
 * The question is a probe, the cheapest request that the server answers without a tool, and so all four layers
 * from tcp on carry no more than it does: what a call's own frames cost more, as they are longer or more of them,
 * is the tool's. Of a server that answers no probe there is no layer routing, and tcp and websocket carry the call.
 *
 * @module
 */

import { CallBook } from "../../lib/client/call_book.ts";
import type { Call } from "../../lib/client/call.ts";
import { Connection, type Message } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { type Caller, type ClosedSliceOptions, runClosedSlice } from "../../lib/load/closed.ts";
import type { RoutingProbe } from "../../lib/protocols/protocol.ts";
import type { InProcess } from "../../lib/run/in_process.ts";
import type { Rig, ScenarioContext } from "../../lib/run/scenario.ts";
import type { EchoServer } from "../../lib/server/echo_server.ts";
import type { Exchange, FoundProbe } from "./recorded_call.ts";

/** What the rigs of an epoch share. */
export interface RigOptions {
  context: ScenarioContext;
  inProcess: InProcess;
  exchange: Exchange;
  echo: EchoServer;
  stack: AsyncDisposableStack;
}

/** Measures what a closed loop drives, one exchange at a time and at no higher rate than given. */
export function loopRig(
  { workload, clock, signal, ...context }: ScenarioContext,
  caller: Caller,
  { maxRatePerSecond = context.maxRatePerSecond, onCall }: {
    maxRatePerSecond?: number | null;
    onCall?: ClosedSliceOptions["onCall"];
  } = {},
): Rig {
  return {
    async measure(length) {
      const { end, timesNs, clients, censored } = await runClosedSlice([caller], {
        ...length,
        message: workload,
        inFlight: 1,
        maxRatePerSecond,
        warmupLedger: context.warmupLedger,
        ledger: context.ledger,
        clock,
        signal,
        ...(onCall === undefined ? {} : { onCall }),
      });
      const isComplete = end === "complete";
      const unknown = { answered: 0, outOfOrder: 0, clientCpuNs: 0, elapsedNs: 0 };
      return { complete: isComplete, clients, timesNs, censored, ...unknown };
    },
  };
}

/** A pause of 20 ms finds threads asleep and caches cold as a longer one does. */
const SLOWEST_PER_SECOND = 50;

/** The rate of what the server takes no part in: near enough to the run's, and no slower than it has to be. */
function ownRate({ maxRatePerSecond }: ScenarioContext): number | null {
  return maxRatePerSecond === null ? null : Math.max(maxRatePerSecond, SLOWEST_PER_SECOND);
}

/** The in-process parts, and a message to another thread and back. */
export function wakeupRig(options: RigOptions): Rig {
  const { context, echo, stack } = options;
  const caller = stack.use(new EchoCaller(options, () => echo.thread.postMessage(null)));
  echo.thread.onmessage = () => caller.answer();
  return loopRig(context, caller, { maxRatePerSecond: ownRate(context) });
}

/** The in-process parts, and as many bytes there and back as the exchange has. */
export async function tcpRig(options: RigOptions): Promise<Rig> {
  const { context, echo, stack } = options;
  const caller = stack.use(new EchoCaller(options, () => tcp.ask()));
  const tcp = await echo.connectTcp({ answer: () => caller.answer(), end: () => caller.end() });
  stack.defer(() => tcp.close());
  return loopRig(context, caller, { maxRatePerSecond: ownRate(context) });
}

/** The in-process parts, and the exchange with an echo, on a connection as those to the target are. */
export async function webSocketRig(
  { context, inProcess, exchange, echo, stack }: RigOptions,
): Promise<Rig> {
  const { clock, signal, target } = context;
  const { protocol, timeoutMs, relay } = target.options;
  const isRelayed = target.relays() && relay !== undefined && await relay.through.start();
  const connection = stack.use(
    await Connection.open({
      url: echo.url,
      clock,
      signal,
      timeoutMs,
      protocol: { ...protocol, open: () => ({ send: [], read: null }) },
      credentials: { sessionId: "", token: null },
      ledger: openLedger(),
      observed: { streamComplete: false, rateLimit: null },
      ...(isRelayed ? { relay: { through: relay.through, localAddress: null } } : {}),
    }),
  );
  return loopRig(context, probing(connection, { probe: exchange.echoed, inProcess }), {
    maxRatePerSecond: ownRate(context),
  });
}

/** The in-process parts, and the exchange with the target. After a probe without its answer there is no other. */
export function routingRig(
  { context, inProcess }: RigOptions,
  { connection, found }: { connection: Connection; found: FoundProbe },
): Rig {
  let [seen, wanted, why]: [number, number, string | null] = [0, 0, null];
  const caller = probing(connection, {
    probe: found.probe,
    inProcess,
    mayAsk: () => !found.failed,
  });
  const rig = loopRig(context, caller, {
    onCall({ status, errorMessage }) {
      if (status === "aborted") return "stop";
      wanted++;
      if (status === "ok") return void seen++;
      found.failed = true;
      why = `${found.probe.name}: ${status}${errorMessage && ` (${errorMessage})`}`;
      return "stop";
    },
  });
  return {
    async measure(length) {
      [seen, wanted, why] = [0, 0, null];
      const slice = await rig.measure(length);
      const name = "every probe answered without a tool";
      context.tally({ kind: "probes", name, seen, wanted, why });
      return slice;
    },
  };
}

/** Asks a connection for what needs no tool, where a closed loop would make a call. */
function probing(
  connection: Connection,
  { probe, inProcess, mayAsk = () => true }: {
    probe: RoutingProbe;
    inProcess: InProcess;
    mayAsk?: () => boolean;
  },
): Caller {
  return {
    get isOpen() {
      return connection.isOpen && mayAsk();
    },
    get timedOutInRow() {
      return connection.timedOutInRow;
    },
    useLedger() {},
    send(message, onEnd, fromNs) {
      inProcess.roundTrip(message);
      connection.probe(probe, onEnd, fromNs);
    },
  };
}

/** What goes over no connection of the client's, in the account that calls have. */
class EchoCaller implements Caller, Disposable {
  readonly #book = new CallBook("echo-", {
    ledger: openLedger(),
    observed: { streamComplete: false, rateLimit: null },
  });
  readonly #context: ScenarioContext;
  readonly #inProcess: InProcess;
  readonly #ask: () => void;
  #cancelSweep = () => {};
  isOpen = true;

  constructor({ context, inProcess }: RigOptions, ask: () => void) {
    this.#context = context;
    this.#inProcess = inProcess;
    this.#ask = ask;
    context.signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#sweep();
  }

  get timedOutInRow(): number {
    return this.#book.timedOutInRow;
  }

  useLedger(): void {}

  send(message: Message, onEnd: (call: Call) => void, fromNs?: number): void {
    this.#book.begin(fromNs ?? this.#context.clock.nowNs(), onEnd);
    this.#inProcess.roundTrip(message);
    this.#ask();
  }

  /** The answer to what was asked last has come. */
  answer(): void {
    const nowNs = this.#context.clock.nowNs();
    this.#book.receive({ kind: "result", id: null, fromCache: false }, nowNs);
  }

  /** Nothing more will come. */
  end(status: "connectionLost" | "aborted" = "connectionLost"): void {
    this.isOpen = false;
    this.#book.endAll(status, this.#context.clock.nowNs());
  }

  [Symbol.dispose](): void {
    this.#cancelSweep();
    this.#context.signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.end("aborted");

  /** Gives up what is not answered within the timeout; it may take twice as long to see that. */
  #sweep(): void {
    const { clock, target: { options: { timeoutMs } } } = this.#context;
    this.#cancelSweep = clock.after(timeoutMs, () => {
      this.#book.expire(clock.nowNs() - timeoutMs * 1e6, clock.nowNs());
      this.#sweep();
    });
  }
}
