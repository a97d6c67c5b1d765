import type { Call } from "../../lib/client/call.ts";
import { createInProcess, type SlowParts } from "../../lib/run/in_process.ts";
import type { Begun, CasePlan, CaseScenario, ScenarioContext } from "../../lib/run/scenario.ts";
import { lengths, TIMES } from "../../lib/run/scenario.ts";
import { describeRateLimit } from "../../lib/run/rate_limit.ts";
import { batchedRig } from "../../lib/run/unit_baseline.ts";
import { countBytes, type EchoOrder, startEchoServer } from "../../lib/server/echo_server.ts";
import { Ladder, LAYER_NAMES } from "./ladder.ts";
import { createRigs, type Exchange, SAMPLED_CALLS } from "./rigs.ts";

const COMMON = { payloadBytes: 0 };

/** Artificial delays of the suite's own layers, for tests. */
export interface LayerDelays {
  inProcess?: SlowParts;
  /** Delays before the echoes answer. */
  echoMs?: Partial<EchoOrder["delaysMs"]>;
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
  const { message, id, reply, probe, exchange } = await recordExchanges(context);
  // A request of the protocol itself, such as MCP's ping, is already the cheapest.
  const isOwnRequest = protocol.listedName(message.tool) === null;
  const routing = isOwnRequest ? null : probe;
  const inProcess = createInProcess(protocol, { message, reply, id, slow: delays.inProcess });
  const echo = await startEchoServer({
    questionBytes: countBytes(exchange.question),
    frames: exchange.frames,
    delaysMs: { wakeup: 0, tcp: 0, webSocket: 0, ...delays.echoMs },
  });
  const dispatch = batchedRig(inProcess.dispatch, { clock });
  const codec = batchedRig(() => inProcess.codec(message), { clock });
  const openRigs = createRigs({ context, exchange, echo, probe: routing });
  const ladder = new Ladder({ isUnit: bundled !== null, hasRouting: routing !== null });
  const hasTimes = protocol.readServerNs(reply.at(-1)!) !== null;
  return {
    cases: [...ladder.cases, ...(hasTimes ? [SAMPLED_CALLS] : [])],
    async openRigs(options) {
      const opened = await openRigs(options);
      return new Map([[ladder.dispatch.layer!, dispatch], ["codec", codec], ...opened]);
    },
    onSlice: (one, slice) => ladder.addSlice(one, slice, context.epoch),
    derive(derivation) {
      ladder.derive(derivation);
      if (probe === null) {
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

/**
 * Makes one call in the warm-up ledger and keeps the frames of its reply. Then finds the first probe
 * that the server answers. No ledger counts probes.
 *
 * @returns `exchange`: of the probe, or of the call if the server answers none (`probe` is `null`)
 * @throws {Error} if the call fails, or a rate limiter refuses it or a probe
 */
async function recordExchanges({ workload, target, signal, warmupLedger }: ScenarioContext) {
  const { protocol } = target.options;
  await using connection = await target.connect(warmupLedger);

  /** Returns the end of a request with all frames until then. */
  async function record(send: (onEnd: (end: Call) => void) => void) {
    const frames: string[] = [];
    connection.onFrame((text) => frames.push(text));
    const end = await new Promise<Call>((resolve) =>
      send((ended) => {
        connection.onFrame(null);
        resolve({ ...ended });
      })
    );
    signal.throwIfAborted();
    if (end.status !== "rateLimited") return { ...end, frames };
    throw new Error(describeRateLimit({ atCall: end.nth, message: end.errorMessage }));
  }

  const message = workload();
  const { id, status, errorCode, frames } = await record((onEnd) =>
    connection.send(message, onEnd)
  );
  if (status !== "ok") {
    throw new Error(`Cannot break down a call: it failed (${errorCode || status})`);
  }
  const reply = frames.filter((text) => {
    const { kind } = protocol.classify(text);
    return kind === "result" || kind === "progress";
  });
  for (const probe of protocol.routingProbes) {
    if (!connection.isOpen) break;
    const { id: probeId, status, frames } = await record((onEnd) => connection.probe(probe, onEnd));
    if (status === "ok") {
      const exchange: Exchange = {
        question: probe.encode(probeId),
        frames: frames.slice(-1),
        echoed: { ...probe, isAnswer: (text) => probe.isAnswer(text, probeId) },
      };
      return { message, id, reply, probe, exchange };
    }
    // A probe without any reply may have ended the session.
    if (status !== "toolError") break;
  }
  const encode = (newId: string) => protocol.encodeCall(newId, message.tool, message.argsJson);
  const exchange: Exchange = {
    question: encode(id),
    frames: reply,
    echoed: { encode, isAnswer: (text) => protocol.classify(text).kind === "result" },
  };
  return { message, id, reply, probe: null, exchange };
}
