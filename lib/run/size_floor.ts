/**
 * Whether the times of requests of some size are the server's, or those of this client.
 *
 * @module
 */

import { median } from "../stats/rounds.ts";
import type { Parameters, RoundLength, ScenarioContext } from "./scenario.ts";
import { describeSize } from "./size_limit.ts";
import { runTogether } from "./together.ts";
import { CLIENT_BOUND_SHARE } from "./validity.ts";
import type { Workload } from "./workload.ts";

/** A server that does nothing answers in a fraction of this, if the calls get to it at once. */
const HELD_BACK_MS = 10;
/** Of such a floor, a server that waits itself comes nowhere near this share. */
const HELD_BACK_SHARE = 0.5;

/** One size of a sweep. */
export interface Size {
  payloadBytes: number;
  /** The calls of that size. */
  sized: (workload: Workload) => Workload;
}

/** A size with what it got. */
interface MeasuredSize extends Size {
  /** Calls per second, round by round. */
  rates: readonly number[];
}

type SizeParameters = Parameters & RoundLength;

/** The same loop against a server that does nothing, size by size, as the client does not take all alike. */
export async function holdAgainstFloor(
  context: ScenarioContext<SizeParameters>,
  steps: readonly MeasuredSize[],
): Promise<void> {
  const bound: { size: string; floorMs: number }[] = [];
  for (const step of steps) {
    if (step.rates.length === 0) continue;
    const floor = await context.floorOf({
      connections: 1,
      round: async (loop, { connections, latency }) => {
        const workload = step.sized(loop.workload);
        return (await runTogether(loop, { connections, latency, workload })).ratePerSecond;
      },
    });
    if (floor === null) return;
    context.scalar(`floor@${step.payloadBytes}`, floor.throughput, { ...at(step), ci95: null });
    const floorMs = floor.latencyP50Ns / 1e6;
    const share = floorMs >= HELD_BACK_MS ? HELD_BACK_SHARE : CLIENT_BOUND_SHARE;
    if (median(step.rates) < floor.throughput * share) continue;
    bound.push({ size: describeSize(step.payloadBytes), floorMs });
  }
  if (bound.length === 0) return;
  const sizes = bound.map(({ size }) => size).join(", ");
  const held = bound.filter(({ floorMs }) => floorMs >= HELD_BACK_MS).map(({ size }) => size);
  context.invalidate(
    `client-bound at ${sizes}: a server that does nothing looks no faster through this client` +
      (held.length === 0
        ? ""
        : `, whose system holds back frames of ${held.join(", ")} for up to 40 ms ` +
          "(Nagle's algorithm)") +
      (bound.length === steps.length ? "" : "; the numbers of all other sizes can be used"),
  );
}

/** The coordinate of a size's metrics. */
export function at({ payloadBytes }: Size) {
  return { at: { payloadBytes } };
}
