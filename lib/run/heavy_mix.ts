import type { Call } from "../client/call_book.ts";
import type { Connection } from "../client/connection.ts";
import { type LoopResult, runClosedLoop } from "../load/closed.ts";
import type { HeavyTool } from "./heavy_tools.ts";
import type { ScenarioContext } from "./scenario.ts";

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

/** Calls heavy tools one after the other on a connection, each with its own timeout. */
export function runHeavyCalls(
  context: ScenarioContext,
  connection: Connection,
  options: {
    next: () => HeavyTool;
    calls: number;
    /** Hears of the end of each call. */
    onEnd: (call: Call, tool: HeavyTool) => void;
  },
): Promise<LoopResult> {
  let tool: HeavyTool;
  return runClosedLoop(connection, {
    message: () => {
      tool = options.next();
      connection.useTimeout(tool.timeoutMs);
      return tool.message();
    },
    inFlight: 1,
    messages: options.calls,
    durationMs: null,
    maxRatePerSecond: context.maxRatePerSecond,
    clock: context.clock,
    signal: context.signal,
    onCall: (call) => options.onEnd(call, tool),
  });
}
