/**
 * What measures each layer of a call. Every layer does what the one below it does and one thing
 * more. Layers that wait for another thread are driven by the closed loop and timed like a call:
 * from the end of the previous exchange, whose handler starts this one, to the handler of the
 * answer.
 *
 * | layer | what it adds to the one below |
 * |---|---|
 * | dispatch | the bundled server's dispatch of the tool, as a unit test calls it (in batches) |
 * | codec | the client's and server's work to encode and decode call and reply (in batches) |
 * | wakeup | wakes another thread and is woken by it: a ping-pong of empty messages |
 * | tcp | a question and its answer over loopback, as bytes that nobody parses |
 * | websocket | the same as text frames between two Deno WebSockets, read by a connection |
 * | routing | the same question, answered by the server under test |
 * | tool | the whole call |
 *
 * The question is a probe: the cheapest request that the server answers without a tool. The extra
 * cost of a call's own frames (longer, or more of them) therefore belongs to the layer tool. If the
 * server answers no probe, there is no layer routing, and tcp and websocket carry the call itself.
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
  /** Probe for an echo, which always sends the recorded answer whatever the question's id. */
  echoed: RoutingProbe;
}

/** A probe that the server answers. */
export interface FoundProbe {
  probe: RoutingProbe;
  exchange: Exchange;
  /** True after it was not answered; it is not sent again. */
  failed: boolean;
}

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
/** Slower is pointless: after 20 ms threads are asleep and caches cold anyway. */
const SLOWEST_PER_SECOND = 50;
/** Maximum per slice of {@linkcode SAMPLED_CALLS}, because nothing else needs these replies. */
const SAMPLE = { messages: 25, durationNs: 10e6 };

/** A sample of whole calls, to read the times that the server reports. */
export const SAMPLED_CALLS: Case = { ...ONE_CLIENT, layer: "serverTimes" };

/** Opens the rigs of the layers that wait for another thread. */
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

/** A rig driven by a closed loop, one exchange at a time. */
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

/** A rig without the server: it keeps to the run's rate, but is never slower than needed. */
function ownRig(context: ScenarioContext, caller: Caller): Rig {
  const { maxRatePerSecond: rate } = context;
  const maxRatePerSecond = rate === null ? null : Math.max(rate, SLOWEST_PER_SECOND);
  return loopRig(context, caller, { maxRatePerSecond });
}

/** The in-process work, plus a message to another thread and back. */
function wakeupRig(options: RigOptions): Rig {
  const { context, echo } = options;
  const caller = echoCaller(options, () => echo.thread.postMessage(null));
  echo.thread.onmessage = () => caller.answer();
  return ownRig(context, caller);
}

/** The in-process work, plus the bytes of the exchange there and back. */
async function tcpRig(options: RigOptions): Promise<Rig> {
  const { context, echo, stack } = options;
  const caller = echoCaller(options, () => tcp.ask());
  const tcp = await echo.connectTcp({ answer: () => caller.answer(), end: () => caller.end() });
  stack.defer(() => tcp.close());
  return ownRig(context, caller);
}

/** A caller without a client connection but with the bookkeeping of calls. */
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
    answer: () => book.receive({ kind: "result", id: null, fromCache: false }, clock.nowNs()),
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

/** The in-process work, plus the exchange with an echo over a connection like the target's. */
async function webSocketRig(
  { context, inProcess, exchange, echo, stack }: RigOptions,
): Promise<Rig> {
  const { clock, signal, target } = context;
  const { protocol, timeoutMs, relay, foreign } = target.options;
  const isRelayed = target.relays() && relay !== undefined && await relay.through.start();
  const connection = stack.use(
    await Connection.open({
      url: echo.url,
      clock,
      signal,
      timeoutMs,
      foreign,
      protocol: { ...protocol, open: () => ({ send: [], read: null }) },
      credentials: { sessionId: "", token: null },
      ledger: openLedger(),
      observed: nothingYet(),
      ...(isRelayed ? { relay: { through: relay.through, localAddress: null } } : {}),
    }),
  );
  return ownRig(context, probing(connection, exchange.echoed, { before: inProcess.roundTrip }));
}

/** The in-process work, plus the exchange with the target, until a probe is not answered. */
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
 * Makes a few calls and splits the time of each: `serverReported` is the server's own time, read
 * from the last frame of its reply, `networkAndQueue` the rest of what the client measured.
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
      // After the window, because parsing takes time.
      for (const { seenNs, text } of replies.splice(0)) {
        const reportedNs = protocol.readServerNs(text);
        if (reportedNs === null) continue;
        context.distribution("serverReported").record(reportedNs);
        context.distribution("networkAndQueue").record(Math.max(0, seenNs - reportedNs));
        if (reportedNs <= seenNs) continue;
        const message = "some replies report more time than the client measured";
        context.invalidate({ kind: "serverTimes", message });
      }
      return slice;
    },
  };
}
