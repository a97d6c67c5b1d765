import { systemClock } from "../client/clock.ts";
import type { Connection } from "../client/connection.ts";
import { openLedger } from "../client/ledger.ts";
import { runClosedSlice } from "../load/closed.ts";
import { nullTarget } from "../run/client_floor.ts";
import type { Interval } from "../schema.ts";
import { momentsOf } from "../stats/estimate.ts";
import { BareClient } from "./bare_client.ts";

export interface LoopShape {
  connections: number;
  /** Calls in flight per connection. */
  inFlight: number;
}

/** The same load from both loops, alternating. */
export interface TurnComparison extends LoopShape {
  /** Calls per second, round by round. */
  suite: number[];
  bare: number[];
  ratio: RateRatio;
}

/** The suite's rate over the bare loop's in the same round. */
export interface RateRatio {
  /** Geometric mean over the rounds. */
  mean: number;
  /** 95 % interval, from a normal distribution of log ratios: needs dozens of rounds. */
  interval: Interval;
  /** Spread of the rounds as a factor: exp of the standard deviation of the logs. */
  spread: number;
}

const CALL = { tool: "status", argsJson: "{}" };
const LEAD_IN_MS = 30;
const NEVER = new AbortController().signal;

/**
 * Runs both loops in every round, in alternating order, each for `roundMs` after a lead-in. An
 * extra first round is discarded.
 *
 * @throws {ConnectError} if the server refuses a connection
 * @throws {Error} if a connection is lost, or the server does not answer
 */
export async function compareTurns(
  url: string,
  { shape, rounds, roundMs }: { shape: LoopShape; rounds: number; roundMs: number },
): Promise<TurnComparison> {
  await using opened = new AsyncDisposableStack();
  using target = nullTarget(url, { clock: systemClock, signal: NEVER });
  const connections: Connection[] = [];
  const clients: BareClient[] = [];
  for (let index = 0; index < shape.connections; index++) {
    connections.push(opened.use(await target.connect(openLedger())));
    clients.push(opened.use(await BareClient.open(url, CALL)));
  }
  const { inFlight } = shape;
  const [suite, bare]: [number[], number[]] = [[], []];
  const loops = [
    async () => suite.push(await suiteRate(connections, inFlight, roundMs)),
    async () => bare.push(await bareRate(clients, inFlight, roundMs)),
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const run of round % 2 === 0 ? loops : loops.toReversed()) await run();
  }
  for (const rates of [suite, bare]) rates.shift();
  return { ...shape, suite, bare, ratio: rateRatio(suite, bare) };
}

/** Compares the rates of two loops round by round. */
export function rateRatio(suite: readonly number[], bare: readonly number[]): RateRatio {
  const { mean, sd } = momentsOf(suite.map((rate, round) => Math.log(rate / bare[round]!)));
  const margin = 1.96 * sd / Math.sqrt(suite.length);
  const interval: Interval = [Math.exp(mean - margin), Math.exp(mean + margin)];
  return { mean: Math.exp(mean), interval, spread: Math.exp(sd) };
}

/** Measures as a scenario does: every call is counted, and the time of each success kept. */
async function suiteRate(
  connections: readonly Connection[],
  inFlight: number,
  roundMs: number,
): Promise<number> {
  const { end, ratePerSecond } = await runClosedSlice(connections, {
    message: () => CALL,
    inFlight,
    leadInNs: LEAD_IN_MS * 1e6,
    messages: null,
    durationNs: roundMs * 1e6,
    maxRatePerSecond: null,
    warmupLedger: openLedger(),
    ledger: openLedger(),
    clock: systemClock,
    signal: NEVER,
  });
  if (end !== "complete") throw new Error(`Cannot compare the loops as the suite's ended: ${end}`);
  return ratePerSecond;
}

async function bareRate(
  clients: readonly BareClient[],
  inFlight: number,
  roundMs: number,
): Promise<number> {
  const read = () => ({
    replies: clients.reduce((sum, { replies }) => sum + replies, 0),
    atNs: systemClock.nowNs(),
  });
  const sleep = (ms: number) => new Promise<void>((wake) => systemClock.after(ms, wake));
  for (const client of clients) client.start(inFlight);
  await sleep(LEAD_IN_MS);
  const start = read();
  let end = start;
  // On a busy machine no reply may arrive for a while.
  while (end.replies === start.replies) {
    await sleep(roundMs);
    end = read();
  }
  await Promise.all(clients.map((client) => client.stop()));
  return (end.replies - start.replies) / ((end.atNs - start.atNs) / 1e9);
}
