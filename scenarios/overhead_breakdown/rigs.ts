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
import { Connection } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import type { Caller, ClosedSliceOptions } from "../../lib/load/closed.ts";
import { probing, runClosedSlice } from "../../lib/load/closed.ts";
import type { RoutingProbe } from "../../lib/protocols/protocol.ts";
import type { InProcess } from "../../lib/run/in_process.ts";
import { type Case, ONE_CLIENT, type Rig, type ScenarioContext } from "../../lib/run/scenario.ts";
import type { EchoServer } from "../../lib/server/echo_server.ts";

/** A question and the frames that answer it, as they went over the wire. */
export interface Exchange {
  question: string;
  frames: readonly string[];
  /** Asks the same of an echo, which gives the recorded answer whatever the question's id. */
  echoed: RoutingProbe;
}

/** A probe that the server answers. */
export interface FoundProbe {
  probe: RoutingProbe;
  exchange: Exchange;
  /** Was it not answered once? Then it is not asked again. */
  failed: boolean;
}

/** What the rigs of an epoch share. */
interface RigOptions {
  context: ScenarioContext;
  inProcess: InProcess;
  exchange: Exchange;
  echo: EchoServer;
  /** To the target. */
  connection: Connection;
  stack: AsyncDisposableStack;
}

const nothingYet = () => ({ streamComplete: false, rateLimit: null });
/** A pause of 20 ms finds threads asleep and caches cold as a longer one does. */
const SLOWEST_PER_SECOND = 50;
/** The most of each slice of {@linkcode SAMPLED_CALLS}, as so many replies are read that no other measurement needs. */
const SAMPLE = { messages: 25, durationNs: 10e6 };

/** A sample of whole calls, for what the server says of its own time. */
export const SAMPLED_CALLS: Case = { ...ONE_CLIENT, layer: "serverTimes" };

/** The rigs of what has another thread to wait for, by the layers of their cases. */
export async function openRigs(
  options: RigOptions,
  found: FoundProbe | null,
): Promise<readonly [layer: string, rig: Rig][]> {
  return [
    ["wakeup", wakeupRig(options)],
    ["tcp", await tcpRig(options)],
    ["websocket", await webSocketRig(options)],
    [SAMPLED_CALLS.layer!, serverTimesRig(options)],
    ...(found === null ? [] : [["routing", routingRig(options, found)] satisfies [string, Rig]]),
  ];
}

/** Measures what a closed loop drives, one exchange at a time and at no higher rate than given. */
function loopRig(
  context: ScenarioContext,
  caller: Caller,
  { maxRatePerSecond = context.maxRatePerSecond, onCall }: {
    maxRatePerSecond?: number | null;
    onCall?: ClosedSliceOptions["onCall"];
  } = {},
): Rig {
  return {
    async measure(length) {
      const { workload: message, clock, signal, warmupLedger, ledger } = context;
      const { end, timesNs, clients, censored } = await runClosedSlice([caller], {
        ...{ ...length, message, inFlight: 1, maxRatePerSecond },
        ...{ warmupLedger, ledger, clock, signal },
        ...(onCall === undefined ? {} : { onCall }),
      });
      const unknown = { answered: 0, outOfOrder: 0, clientCpuNs: 0, elapsedNs: 0 };
      return { complete: end === "complete", clients, timesNs, censored, ...unknown };
    },
  };
}

/** One for what the server takes no part in: its rate is near enough to the run's, and no slower than it has to be. */
function ownRig(context: ScenarioContext, caller: Caller): Rig {
  const { maxRatePerSecond: rate } = context;
  const maxRatePerSecond = rate === null ? null : Math.max(rate, SLOWEST_PER_SECOND);
  return loopRig(context, caller, { maxRatePerSecond });
}

/** The in-process parts, and a message to another thread and back. */
function wakeupRig(options: RigOptions): Rig {
  const { context, echo } = options;
  const caller = echoCaller(options, () => echo.thread.postMessage(null));
  echo.thread.onmessage = () => caller.answer();
  return ownRig(context, caller);
}

/** The in-process parts, and as many bytes there and back as the exchange has. */
async function tcpRig(options: RigOptions): Promise<Rig> {
  const { context, echo, stack } = options;
  const caller = echoCaller(options, () => tcp.ask());
  const tcp = await echo.connectTcp({ answer: () => caller.answer(), end: () => caller.end() });
  stack.defer(() => tcp.close());
  return ownRig(context, caller);
}

/** What goes over no connection of the client's, in the account that calls have; an echo of ours answers always. */
function echoCaller({ context, inProcess, stack }: RigOptions, ask: () => void) {
  const { clock, signal } = context;
  const book = new CallBook("echo-", { ledger: openLedger(), observed: nothingYet() });
  let isOpen = true;
  const caller = {
    get isOpen() {
      return isOpen;
    },
    timedOutInRow: 0,
    useLedger() {},
    send(message, onEnd, fromNs = clock.nowNs()) {
      book.begin(fromNs, onEnd);
      inProcess.roundTrip(message);
      ask();
    },
    /** The answer to what was asked last has come. */
    answer: () => book.receive({ kind: "result", id: null, fromCache: false }, clock.nowNs()),
    /** Nothing more will come. */
    end(status: "connectionLost" | "aborted" = "connectionLost") {
      isOpen = false;
      book.endAll(status, clock.nowNs());
    },
  } satisfies Caller & Record<"answer" | "end", unknown>;
  const onAbort = () => caller.end("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  stack.defer(() => signal.removeEventListener("abort", onAbort));
  return caller;
}

/** The in-process parts, and the exchange with an echo, on a connection as those to the target are. */
async function webSocketRig(
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
      observed: nothingYet(),
      ...(isRelayed ? { relay: { through: relay.through, localAddress: null } } : {}),
    }),
  );
  return ownRig(context, probing(connection, exchange.echoed, { before: inProcess.roundTrip }));
}

/** The in-process parts, and the exchange with the target. After a probe without its answer there is no other. */
function routingRig({ context, inProcess, connection }: RigOptions, found: FoundProbe): Rig {
  const { probe } = found;
  let [seen, wanted, why]: [number, number, string | null] = [0, 0, null];
  const before = inProcess.roundTrip;
  const caller = probing(connection, probe, { before, mayAsk: () => !found.failed });
  const rig = loopRig(context, caller, {
    onCall({ status, errorMessage }) {
      if (status === "aborted") return "stop";
      wanted++;
      if (status === "ok") return void seen++;
      found.failed = true;
      why = `${probe.name}: ${status}${errorMessage && ` (${errorMessage})`}`;
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

/**
 * Makes a few calls, counted as all are, and splits the time of each: `serverReported` is what the last frame of
 * its reply says of the server's own time, `networkAndQueue` the rest of what the client saw.
 */
function serverTimesRig({ context, connection }: RigOptions): Rig {
  const { protocol } = context.target.options;
  const replies: { seenNs: number; text: string }[] = [];
  let last = "";
  const rig = loopRig(context, connection, {
    onCall({ status, sentNs, endedNs }, isMeasured) {
      if (isMeasured && status === "ok") replies.push({ seenNs: endedNs - sentNs, text: last });
    },
  });
  return {
    async measure(length) {
      connection.onFrame((text) => last = text);
      const messages = length.messages && Math.min(length.messages, SAMPLE.messages);
      const slice = await rig.measure({ ...length, messages, durationNs: SAMPLE.durationNs });
      connection.onFrame(null);
      // After the window, as reading them takes time.
      for (const { seenNs, text } of replies.splice(0)) {
        const reportedNs = protocol.readServerNs(text);
        if (reportedNs === null) continue;
        context.distribution("serverReported").record(reportedNs);
        context.distribution("networkAndQueue").record(Math.max(0, seenNs - reportedNs));
        if (reportedNs <= seenNs) continue;
        const message = "there are replies that report more time than the client saw pass";
        context.invalidate({ kind: "serverTimes", message });
      }
      return slice;
    },
  };
}
