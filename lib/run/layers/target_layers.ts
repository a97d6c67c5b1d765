/**
 * The layers that the server under test shows itself.
 *
 * @module
 */

import { SILENCE_LIMIT } from "../../load/closed.ts";
import { createPace } from "../../load/pace.ts";
import type { Connection } from "../../client/connection.ts";
import type { ScenarioContext } from "../scenario.ts";
import type { InProcess } from "./in_process.ts";
import type { Layer } from "./layer.ts";
import type { RoutingSession } from "./routing.ts";
import { sampleSlice } from "./slice.ts";

/** The in-process parts, and the cheapest request that the server answers. */
export function routingLayer(
  context: ScenarioContext,
  { session, inProcess }: { session: RoutingSession; inProcess: InProcess },
): Layer {
  const { clock } = context;
  const pace = createPace(context);
  async function askOnce(): Promise<number> {
    await pace();
    const startNs = clock.nowNs();
    inProcess.roundTrip();
    return await session.ask() ? clock.nowNs() - startNs : Infinity;
  }
  return {
    name: "routing",
    measuredOn: "target",
    async sample(slice, record) {
      for (const ns of await sampleSlice(askOnce, slice)) record(ns);
      return session.counts.failure === null;
    },
  };
}

/** The last frame of a measured success, and how long the client waited for it in nanoseconds. */
export interface TimedReply {
  seenNs: number;
  text: string;
}

/**
 * The whole call, counted in the measured ledger; the first of a slice in that of the warm-up. Successes
 * are added to `replies` for the caller to take.
 */
export function toolLayer(
  context: ScenarioContext,
  { connection, replies }: { connection: Connection; replies: TimedReply[] },
): Layer {
  const { workload, ledger, warmupLedger } = context;
  const pace = createPace(context);
  let unansweredInRow = 0;
  let lastFrame = "";

  async function callOnce(isMeasured: boolean): Promise<number> {
    await pace();
    if (!connection.isOpen || unansweredInRow >= SILENCE_LIMIT) return Infinity;
    connection.useLedger(isMeasured ? ledger : warmupLedger);
    const { status, sentNs, endedNs } = await connection.call(workload());
    unansweredInRow = status === "timeout" ? unansweredInRow + 1 : 0;
    if (status !== "ok") return -1;
    if (isMeasured) replies.push({ seenNs: endedNs - sentNs, text: lastFrame });
    return endedNs - sentNs;
  }

  return {
    name: "tool",
    measuredOn: "target",
    async sample(slice, record) {
      connection.onFrame((text) => lastFrame = text);
      for (const ns of await sampleSlice(callOnce, slice)) record(ns);
      connection.onFrame(null);
      return connection.isOpen && unansweredInRow < SILENCE_LIMIT;
    },
  };
}
