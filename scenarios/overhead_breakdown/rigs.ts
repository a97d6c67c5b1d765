/**
 * What measures each layer of a call. The layers that wait for another thread are driven by the
 * closed loop and timed like a call: from the end of the previous exchange, whose handler starts
 * this one, to the handler of the answer. Nothing else is done in between, because a thread that
 * has to wait longer for the next message takes longer to wake up.
 *
 * | layer | what it does | what it adds |
 * |---|---|---|
 * | dispatch | the bundled server's dispatch of the tool, as a unit test calls it (in batches) | all |
 * | codec | the work to encode and decode call and reply on both sides (in batches) | all; it is part of routing and tool |
 * | wakeup | wakes another thread and is woken by it: a ping-pong of empty messages | all |
 * | tcp | a question and its answer over loopback, as bytes that nobody parses | what wakeup lacks |
 * | websocket | the same as text frames between two Deno WebSockets, read by a connection | frames |
 * | routing | the same question, answered by the server under test | the server without a tool |
 * | tool | the whole call | what dispatch and routing lack |
 *
 * The question is a probe: the cheapest request that the server answers without a tool. The extra
 * cost of a call's own frames (longer, or more of them) therefore belongs to the layer tool, and so
 * does what JSON costs more between two waits than in a batch. If the server answers no probe, there
 * is no layer routing, and tcp and websocket carry the call itself.
 *
 * @module
 */

import { CallBook } from "../../lib/client/call_book.ts";
import { Connection, type Probe } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import type { Caller, ClosedSliceOptions, SliceLength } from "../../lib/load/closed.ts";
import { probing, runClosedSlice } from "../../lib/load/closed.ts";
import type { RoutingProbe } from "../../lib/protocols/protocol.ts";
import type { Case, CasePlan, Rig, ScenarioContext, Slice } from "../../lib/run/scenario.ts";
import { ONE_CLIENT } from "../../lib/run/scenario.ts";
import type { EchoServer } from "../../lib/server/echo_server.ts";

/** A question and the frames that answer it, as they went over the wire. */
export interface Exchange {
  question: string;
  frames: readonly string[];
  /** Probe for an echo, which always sends the recorded answer whatever the question's id. */
  echoed: Probe;
}

const nothingYet = () => ({ streamComplete: false, rateLimit: null });
/** Slower is pointless: after 20 ms threads are asleep and caches cold anyway. */
const SLOWEST_PER_SECOND = 50;
/** Maximum per slice of {@linkcode SAMPLED_CALLS}, because nothing else needs these replies. */
const SAMPLE = { messages: 25, durationNs: 10e6 };

/** A sample of whole calls, to read the times that the server reports. */
export const SAMPLED_CALLS: Case = { ...ONE_CLIENT, layer: "serverTimes" };

/**
 * Creates the rigs of the layers that wait for another thread. The returned function opens them for
 * an epoch, on a connection to the target.
 *
 * @param options.probe for the layer routing; `null`: there is no such layer
 */
export function createRigs({ context, exchange, echo, probe }: {
  context: ScenarioContext;
  exchange: Exchange;
  echo: EchoServer;
  probe: RoutingProbe | null;
}): NonNullable<CasePlan["openRigs"]> {
  const { target, clock, signal, maxRatePerSecond } = context;
  const { protocol, timeoutMs, relay, foreign } = target.options;
  /** Rigs without the server keep to the run's rate, but are never slower than needed. */
  const ownRate = maxRatePerSecond && Math.max(maxRatePerSecond, SLOWEST_PER_SECOND);
  /** A probe that was not answered is not sent again. */
  let hasProbeFailed = false;

  /** Measures a slice with a closed loop, one exchange at a time. */
  async function measure(
    caller: Caller,
    length: SliceLength,
    options: Partial<Pick<ClosedSliceOptions, "maxRatePerSecond" | "onCall">>,
  ): Promise<Slice> {
    const { workload: message, warmupLedger, ledger } = context;
    const { end, timesNs, clients, censored } = await runClosedSlice([caller], {
      ...{ message, inFlight: 1, maxRatePerSecond, warmupLedger, ledger, clock, signal },
      ...length,
      ...options,
    });
    const unknown = { answered: 0, outOfOrder: 0, clientCpuNs: 0, elapsedNs: 0 };
    return { complete: end === "complete", clients, timesNs, censored, ...unknown };
  }

  function ownRig(caller: Caller): Rig {
    return { measure: (length) => measure(caller, length, { maxRatePerSecond: ownRate }) };
  }

  /** A message to another thread and back. */
  function wakeupRig(stack: AsyncDisposableStack): Rig {
    const caller = echoCaller(() => echo.thread.postMessage(null), stack);
    echo.thread.onmessage = caller.answer;
    return ownRig(caller);
  }

  /** The bytes of the exchange there and back. */
  async function tcpRig(stack: AsyncDisposableStack): Promise<Rig> {
    const caller = echoCaller(() => tcp.ask(), stack);
    const tcp = await echo.connectTcp(caller);
    stack.defer(() => tcp.close());
    return ownRig(caller);
  }

  /** A caller without a client connection but with the bookkeeping of calls. */
  function echoCaller(ask: () => void, stack: AsyncDisposableStack) {
    const book = new CallBook("echo-", { ledger: openLedger(), observed: nothingYet() });
    const caller = {
      isOpen: true as boolean,
      timedOutInRow: 0,
      useLedger() {},
      send(_message, onEnd, fromNs = clock.nowNs()) {
        book.begin(fromNs, onEnd);
        ask();
      },
      answer: () => book.receive({ kind: "result", id: null, fromCache: false }, clock.nowNs()),
      end: () => endAs("connectionLost"),
    } satisfies Caller & Record<"answer" | "end", () => void>;
    const endAs = (status: "connectionLost" | "aborted") => {
      caller.isOpen = false;
      book.endAll(status, clock.nowNs());
    };
    const onAbort = () => endAs("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    stack.defer(() => signal.removeEventListener("abort", onAbort));
    return caller;
  }

  /** The exchange with an echo over a connection like the target's. */
  async function webSocketRig(stack: AsyncDisposableStack): Promise<Rig> {
    const isRelayed = target.relays() && relay !== undefined && await relay.through.start();
    const connection = stack.use(
      await Connection.open({
        ...{ url: echo.url, clock, signal, timeoutMs, foreign },
        protocol: { ...protocol, open: () => ({ send: [], read: null }) },
        credentials: { sessionId: "", token: null },
        ledger: openLedger(),
        observed: nothingYet(),
        relay: isRelayed ? { through: relay.through, localAddress: null } : undefined,
      }),
    );
    return ownRig(probing(connection, exchange.echoed));
  }

  /** The exchange with the target, until a probe is not answered. */
  function routingRig(connection: Connection, probe: RoutingProbe): Rig {
    const caller = probing(connection, probe, () => !hasProbeFailed);
    return {
      async measure(length) {
        const probes = { seen: 0, wanted: 0, why: null as string | null };
        const slice = await measure(caller, length, {
          onCall({ status, errorMessage }) {
            if (status === "aborted") return "stop";
            probes.wanted++;
            if (status === "ok") return void probes.seen++;
            hasProbeFailed = true;
            probes.why = `${probe.name}: ${status}${errorMessage && ` (${errorMessage})`}`;
            return "stop";
          },
        });
        const name = "every probe answered without a tool";
        context.tally({ kind: "probes", name, ...probes });
        return slice;
      },
    };
  }

  /**
   * Makes a few calls and splits the time of each: `serverReported` is the server's own time, read
   * from the last frame of its reply, `networkAndQueue` the rest of what the client measured.
   */
  function serverTimesRig(connection: Connection): Rig {
    return {
      async measure(length) {
        const replies: { seenNs: number; text: string }[] = [];
        let last = "";
        connection.onFrame((text) => last = text);
        const messages = length.messages && Math.min(length.messages, SAMPLE.messages);
        const slice = await measure(connection, { ...length, ...SAMPLE, messages }, {
          onCall({ status, sentNs, endedNs }, isMeasured) {
            if (isMeasured && status === "ok") {
              replies.push({ seenNs: endedNs - sentNs, text: last });
            }
          },
        });
        connection.onFrame(null);
        // After the window, because parsing takes time.
        for (const { seenNs, text } of replies) {
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

  return async ({ connection, stack }) =>
    new Map<string, Rig>([
      ["wakeup", wakeupRig(stack)],
      ["tcp", await tcpRig(stack)],
      ["websocket", await webSocketRig(stack)],
      [SAMPLED_CALLS.layer!, serverTimesRig(connection)],
      ...probe === null ? [] : [["routing", routingRig(connection, probe)] as const],
    ]);
}
