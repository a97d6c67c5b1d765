/**
 * Whole turns of the suite's closed loop, next to those of a bare native WebSocket loop, against one
 * and the same null server.
 *
 * @module
 */

import { runClosedLoop } from "../load/closed.ts";
import type { Connection } from "../client/connection.ts";
import { openLedger } from "../client/ledger.ts";
import { nullTarget } from "../run/client_floor.ts";
import { systemClock } from "../client/clock.ts";
import { DistributionRecorder } from "../stats/summary.ts";
import { BareClient } from "./bare_client.ts";

/** How many connections are kept busy, each with how many calls in flight. */
export interface LoopShape {
  connections: number;
  inFlight: number;
}

/** The same load by both loops in turn: calls per second, round by round. */
export interface TurnComparison extends LoopShape {
  suite: number[];
  bare: number[];
}

/** How long to measure. */
export interface TurnOptions {
  /** After one that is discarded. */
  rounds: number;
  /** Of each loop in each round, in milliseconds. */
  roundMs: number;
}

const CALL = { tool: "status", argsJson: "{}" };

/** Runs both loops in every round, one after the other in changing order. */
export async function compareTurns(
  url: string,
  options: TurnOptions & { shape: LoopShape },
): Promise<TurnComparison> {
  const { shape, rounds, roundMs } = options;
  await using opened = new AsyncDisposableStack();
  using target = nullTarget(url, { clock: systemClock, signal: NEVER });
  const connections: Connection[] = [];
  const clients: BareClient[] = [];
  for (let index = 0; index < shape.connections; index++) {
    connections.push(opened.use(await target.connect(openLedger())));
    clients.push(opened.use(await BareClient.open(url, CALL)));
  }
  const load = { inFlight: shape.inFlight, durationMs: roundMs };
  const comparison: TurnComparison = { ...shape, suite: [], bare: [] };
  for (let round = 0; round <= rounds; round++) {
    const suite = () => suiteRate(connections, load);
    const bare = () => bareRate(clients, load);
    const [first, second] = round % 2 === 0
      ? [await suite(), await bare()]
      : [await bare(), await suite()];
    if (round === 0) continue;
    comparison.suite.push(round % 2 === 0 ? first : second);
    comparison.bare.push(round % 2 === 0 ? second : first);
  }
  return comparison;
}

interface Load {
  inFlight: number;
  durationMs: number;
}

/** As a scenario does it: every call in the ledger, every time in the histogram. */
async function suiteRate(connections: readonly Connection[], load: Load): Promise<number> {
  using latency = new DistributionRecorder();
  const startNs = systemClock.nowNs();
  const results = await Promise.all(connections.map((connection) =>
    runClosedLoop(connection, {
      ...load,
      message: () => CALL,
      messages: null,
      maxRatePerSecond: null,
      clock: systemClock,
      signal: NEVER,
      onCall: (call) => {
        if (call.status === "ok") latency.record(call.endedNs - call.sentNs);
      },
    })
  ));
  const ok = results.reduce((sum, result) => sum + result.ok, 0);
  return ok / ((systemClock.nowNs() - startNs) / 1e9);
}

async function bareRate(clients: readonly BareClient[], load: Load): Promise<number> {
  const startNs = systemClock.nowNs();
  const replies = await Promise.all(clients.map((client) => client.run(load)));
  const sum = replies.reduce((sum, count) => sum + count, 0);
  return sum / ((systemClock.nowNs() - startNs) / 1e9);
}

const NEVER = new AbortController().signal;
