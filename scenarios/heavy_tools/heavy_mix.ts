import type { Call } from "../../lib/client/call.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { runClosedSlice } from "../../lib/load/closed.ts";
import type { HeavyTool } from "../../lib/run/heavy_tools.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";

/** How many calls a turn of the mix has: each tool as often as its weight says, in lowest terms. */
export function turnLength(tools: readonly Pick<HeavyTool, "weight">[]): number {
  const divisor = tools.map(({ weight }) => weight).reduce(greatestCommonDivisor, 0);
  return tools.reduce((sum, { weight }) => sum + weight, 0) / divisor;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Gives one tool after the other, each as often as its weight says in every turn, and evenly spread:
 * the smooth weighted round-robin of nginx (ngx_http_upstream_round_robin.c).
 *
 * @param skip how far into a turn it begins, so that several clients do not march in step
 */
export function createMix<T extends Pick<HeavyTool, "weight">>(
  tools: readonly T[],
  skip = 0,
): () => T {
  const total = tools.reduce((sum, { weight }) => sum + weight, 0);
  const credits = tools.map(() => 0);
  const next = () => {
    let best = 0;
    for (const [index, { weight }] of tools.entries()) {
      credits[index]! += weight;
      if (credits[index]! > credits[best]!) best = index;
    }
    credits[best]! -= total;
    return tools[best]!;
  };
  for (let count = 0; count < skip; count++) next();
  return next;
}

/** What a row of calls came to. */
export interface MixResult {
  /** Were all calls made? */
  complete: boolean;
  /** Successes. */
  ok: number;
  elapsedNs: number;
}

/** Calls heavy tools one after the other on a connection, each with its own timeout. */
export async function runMix(
  { ledger, maxRatePerSecond, clock, signal }: ScenarioContext,
  connection: Connection,
  { next, calls, onEnd }: {
    next: () => HeavyTool;
    calls: number;
    /** Hears of the end of each call, which it must not keep. */
    onEnd: (call: Call, tool: HeavyTool) => void;
  },
): Promise<MixResult> {
  let tool: HeavyTool;
  const { end, clients: [client] } = await runClosedSlice([connection], {
    message: () => {
      tool = next();
      connection.useTimeout(tool.timeoutMs);
      return tool.message();
    },
    inFlight: 1,
    leadInNs: 0,
    messages: calls,
    durationNs: null,
    maxRatePerSecond,
    warmupLedger: ledger,
    ledger,
    clock,
    signal,
    onCall: (call) => onEnd(call, tool),
  });
  return { complete: end === "complete", ok: client!.ok, elapsedNs: client!.windowNs };
}
