import type { Call } from "../../lib/client/call.ts";
import type { Connection } from "../../lib/client/connection.ts";
import type { RoutingProbe } from "../../lib/protocols/protocol.ts";
import { createInProcess, type SlowParts } from "../../lib/run/in_process.ts";
import {
  type Begun,
  type CasePlan,
  type CaseScenario,
  lengths,
  type Rig,
  type ScenarioContext,
  TIMES,
} from "../../lib/run/scenario.ts";
import { describeRateLimit } from "../../lib/run/rate_limit.ts";
import { batchedRig } from "../../lib/run/unit_baseline.ts";
import { countBytes, startEchoServer } from "../../lib/server/echo_server.ts";
import { Ladder, LAYER_NAMES } from "./ladder.ts";
import { type Exchange, type FoundProbe, openRigs, SAMPLED_CALLS } from "./rigs.ts";

const COMMON = { payloadBytes: 0 };

/** What slows down the layers that the suite brings along: nothing, but in tests. */
export interface LayerDelays extends SlowParts {
  /** How long the echo waits before it answers, in milliseconds. */
  wakeupMs?: number;
  tcpMs?: number;
  webSocketMs?: number;
}

/** The scenario, with slow layers where a test wants to see them. */
export function createOverheadBreakdown(
  delays: LayerDelays = {},
): CaseScenario<typeof COMMON> {
  return {
    kind: "cases",
    name: "overhead-breakdown",
    question: "Where does the time of a call go, layer by layer?",
    metrics: { layer: TIMES, serverReported: TIMES, networkAndQueue: TIMES },
    headline: { metric: "layer", at: { layer: "tool" } },
    // The whole call is message-throughput's, and judged there; its parts say where a change comes from.
    profiles: ["standard", "thorough"],
    takes: () => ({ slices: LAYER_NAMES.length - 3 }),
    defaults: lengths(COMMON, { quick: 50, standard: 150, thorough: 400, phase2: 100 }),
    begin: (context) => begin(context, delays),
  };
}

export const overheadBreakdown = createOverheadBreakdown();

/**
 * Threads that wait longer for the next call fall asleep, and take longer to wake the less they do: a layer with more
 * to do is then the quicker one.
 */
const FEWEST_PER_SECOND = 1_000;

/** Looks at what is said to a call and to a probe, which the layers below the target are to carry. */
async function begin(
  context: ScenarioContext,
  delays: LayerDelays,
): Promise<Begun<CasePlan>> {
  const { target, clock, bundled, maxRatePerSecond: rate, keepsToLimit, isNamed } = context;
  const { protocol } = target.options;
  if (protocol.routingProbes.length === 0) {
    return { skipped: `the ${protocol.name} protocol has no tools, so that there are no layers` };
  }
  if (rate !== null && rate < FEWEST_PER_SECOND && !isNamed) {
    const limit = keepsToLimit ? "the server's rate limit" : "--max-rate";
    return {
      skipped: `${limit} keeps each client to ${rate} calls/s, and the layers of a call can only ` +
        `be told apart at ${FEWEST_PER_SECOND} or more: name it with --scenarios to measure them ` +
        "all the same",
    };
  }
  // On a connection of its own, before any is measured.
  await using looking = await target.connect(context.warmupLedger);
  const call = await recordCall(context, looking);
  const found = await findProbe(context, looking);
  const { message, reply } = call;
  const exchange = found?.exchange ?? exchangeOf(context, call);
  const inProcess = createInProcess(protocol, { message, reply, id: call.id, slow: delays });
  const { wakeupMs = 0, tcpMs = 0, webSocketMs = 0 } = delays;
  const echo = await startEchoServer({
    questionBytes: countBytes(exchange.question),
    frames: exchange.frames,
    delaysMs: { wakeup: wakeupMs, tcp: tcpMs, webSocket: webSocketMs },
  });
  const dispatch = batchedRig(inProcess.dispatch, { clock });
  const codec = batchedRig(() => inProcess.roundTrip(message), { clock });
  const ladder = new Ladder({ isUnit: bundled !== null, hasRouting: found !== null });
  const hasTimes = protocol.readServerNs(reply.at(-1)!) !== null;
  return {
    cases: [...ladder.cases, ...(hasTimes ? [SAMPLED_CALLS] : [])],
    async openRigs({ connection, stack }) {
      const options = { context, inProcess, exchange, echo, connection, stack };
      const own: [string, Rig][] = [[ladder.dispatch.layer!, dispatch], ["codec", codec]];
      return new Map([...own, ...await openRigs(options, found)]);
    },
    onSlice: (one, slice) => ladder.addSlice(one, slice, context.epoch),
    derive(derivation) {
      ladder.derive(derivation);
      if (found === null) {
        const tried = protocol.routingProbes.map(({ name }) => name).join(", ");
        derivation.notMeasured(
          "routing",
          `the server answers nothing without a tool (tried: ${tried}); it is part of the layer tool`,
        );
      }
      if (protocol.name === "mcp" && message.tool === protocol.defaultTool) {
        derivation.notMeasured(
          "a tool",
          "the call is the protocol's own ping, so that the layer tool is routing once more: " +
            "name a tool with --tool",
        );
      }
    },
    close: () => echo.stop(),
  };
}

/** A call as it went over the wire. */
type RecordedCall = Awaited<ReturnType<typeof recordCall>>;

/**
 * Makes one call, counted as warm-up, and keeps the frames of its reply, the last of them the final one; without those
 * that no call asked for.
 *
 * @throws {Error} if a rate limiter refuses it
 * @throws {Error} if it fails in another way
 */
async function recordCall(
  { workload, signal, target: { options: { protocol } } }: ScenarioContext,
  connection: Connection,
) {
  const message = workload();
  const reply: string[] = [];
  connection.onFrame((text) => {
    if (protocol.classify(text).kind !== "notification") reply.push(text);
  });
  const call = await connection.call(message);
  connection.onFrame(null);
  signal.throwIfAborted();
  refuseLimiter(call);
  if (call.status !== "ok") {
    throw new Error(`Cannot take a call apart as it failed: ${call.errorCode || call.status}`);
  }
  return { id: call.id, message, reply };
}

/**
 * The first probe that the server answers, and what passed; `null` where it answers none. Probes are no calls,
 * and in no ledger.
 *
 * @throws {Error} if a rate limiter refuses one
 */
async function findProbe(
  { signal, target: { options: { protocol } } }: ScenarioContext,
  connection: Connection,
): Promise<FoundProbe | null> {
  for (const probe of protocol.routingProbes) {
    if (!connection.isOpen) return null;
    let exchange = null as Exchange | null;
    const watched: RoutingProbe = {
      ...probe,
      isAnswer(text, id) {
        if (!probe.isAnswer(text, id)) return false;
        const echoed = { ...probe, isAnswer: (frame: string) => probe.isAnswer(frame, id) };
        exchange = { question: probe.encode(id), frames: [text], echoed };
        return true;
      },
    };
    const call = await new Promise<Call>((resolve) =>
      connection.probe(watched, (ended) => resolve({ ...ended }))
    );
    signal.throwIfAborted();
    refuseLimiter(call);
    if (exchange !== null) return { probe, exchange, failed: false };
    // One that is not answered at all may have cost the session.
    if (call.status !== "toolError") return null;
  }
  return null;
}

/** The call itself as what is asked of an echo. */
function exchangeOf(
  { target: { options: { protocol } } }: ScenarioContext,
  { id, message: { tool, argsJson }, reply }: RecordedCall,
): Exchange {
  return {
    question: protocol.encodeCall(id, tool, argsJson),
    frames: reply,
    echoed: {
      name: "call",
      encode: (newId) => protocol.encodeCall(newId, tool, argsJson),
      isAnswer: (text) => protocol.classify(text).kind === "result",
    },
  };
}

function refuseLimiter({ status, nth, errorMessage }: Call): void {
  if (status !== "rateLimited") return;
  throw new Error(describeRateLimit({ atCall: nth, message: errorMessage }));
}
