/**
 * What a server says to a call and to a request that needs no tool, as the layers below it are to carry both.
 *
 * @module
 */

import type { Call } from "../../lib/client/call.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { describeRateLimit } from "../../lib/run/rate_limit.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import type { RoutingProbe } from "../../lib/protocols/protocol.ts";

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

/** A call as it went over the wire. */
export type RecordedCall = Awaited<ReturnType<typeof recordCall>>;

/**
 * Makes one call, counted as warm-up, and keeps the frames of its reply, the last of them the final one; without those
 * that no call asked for.
 *
 * @throws {Error} if a rate limiter refuses it
 * @throws {Error} if it fails in another way
 */
export async function recordCall(
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
export async function findProbe(
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
export function exchangeOf(
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
