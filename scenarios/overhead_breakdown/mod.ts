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

/** Artificial delays of the suite's own layers, for tests. */
export interface LayerDelays extends SlowParts {
  /** Delay before the echo answers. */
  wakeupMs?: number;
  tcpMs?: number;
  webSocketMs?: number;
}

/** Creates the scenario; tests pass delays. */
export function createOverheadBreakdown(delays: LayerDelays = {}): CaseScenario<typeof COMMON> {
  return {
    kind: "cases",
    name: "overhead-breakdown",
    question: "Where does the time of a call go, layer by layer?",
    metrics: { layer: TIMES, serverReported: TIMES, networkAndQueue: TIMES },
    headline: { metric: "layer", at: { layer: "tool" } },
    // No gates: message-throughput judges the whole call, the layers show where a change is.
    profiles: ["standard", "thorough"],
    takes: () => ({ slices: LAYER_NAMES.length - 3 }),
    defaults: lengths(COMMON, { quick: 50, standard: 150, thorough: 400, phase2: 100 }),
    begin: (context) => begin(context, delays),
  };
}

export const overheadBreakdown = createOverheadBreakdown();

/**
 * Below this rate threads fall asleep between calls, and the less they do the longer they take to
 * wake: a layer that does more can then be faster.
 */
const FEWEST_PER_SECOND = 1_000;

/** Records a call and a probe, which the suite's own layers then replay. */
async function begin(context: ScenarioContext, delays: LayerDelays): Promise<Begun<CasePlan>> {
  const { target, clock, bundled, maxRatePerSecond: rate, keepsToLimit, isNamed } = context;
  const { protocol } = target.options;
  if (protocol.routingProbes.length === 0) {
    return { skipped: `the ${protocol.name} protocol has no tools, so there are no layers` };
  }
  if (rate !== null && rate < FEWEST_PER_SECOND && !isNamed) {
    const limit = keepsToLimit ? "the server's rate limit" : "--max-rate";
    return {
      skipped: `${limit} keeps each client to ${rate} calls/s, and layers can only be ` +
        `distinguished at ${FEWEST_PER_SECOND} or more: name it with --scenarios to measure anyway`,
    };
  }
  await using looking = await target.connect(context.warmupLedger);
  const call = await recordCall(context, looking);
  const found = await findProbe(context, looking);
  const { message, reply } = call;
  // A request of the protocol itself, such as MCP's ping, is already the cheapest.
  const isOwnRequest = protocol.listedName(message.tool) === null;
  const routing = isOwnRequest ? null : found;
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
  const ladder = new Ladder({ isUnit: bundled !== null, hasRouting: routing !== null });
  const hasTimes = protocol.readServerNs(reply.at(-1)!) !== null;
  return {
    cases: [...ladder.cases, ...(hasTimes ? [SAMPLED_CALLS] : [])],
    async openRigs({ connection, stack }) {
      const options = { context, exchange, echo, connection, stack };
      const own: [string, Rig][] = [[ladder.dispatch.layer!, dispatch], ["codec", codec]];
      return new Map([...own, ...await openRigs(options, routing)]);
    },
    onSlice: (one, slice) => ladder.addSlice(one, slice, context.epoch),
    derive(derivation) {
      ladder.derive(derivation);
      if (found === null) {
        const tried = protocol.routingProbes.map(({ name }) => name).join(", ");
        derivation.notMeasured(
          "routing",
          `the server answers no request without a tool (tried: ${tried}), so the tool layer ` +
            "includes it",
        );
      }
      if (isOwnRequest) {
        derivation.notMeasured(
          "a tool",
          `the call is the protocol's own ${message.tool}, so the tool layer is only routing: ` +
            "name a tool with --tool",
        );
      }
    },
    close: () => echo.stop(),
  };
}

type RecordedCall = Awaited<ReturnType<typeof recordCall>>;

/**
 * Makes one call in the warm-up ledger and keeps the frames of its reply, without notifications.
 *
 * @throws {Error} if the call fails or a rate limiter refuses it
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
    throw new Error(`Cannot break down a call: it failed (${call.errorCode || call.status})`);
  }
  return { id: call.id, message, reply };
}

/**
 * Finds the first probe that the server answers; `null`: none. No ledger counts probes.
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
    // A probe without any reply may have ended the session.
    if (call.status !== "toolError") return null;
  }
  return null;
}

/** Makes the call itself the exchange, for servers that answer no probe. */
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
