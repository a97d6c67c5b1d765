import type { OpenLoopResult } from "../../lib/load/open.ts";

/** By default, an open loop of 100 calls in a second, each answered after a millisecond. */
export function openLoopResult(overrides: Partial<OpenLoopResult> = {}): OpenLoopResult {
  const { slots = 100, startNs = 0, windowNs = 1e9 } = overrides;
  const { sent = slots, ok = sent, dropped = slots - sent } = overrides;
  const { serviceNs = new Float64Array(ok).fill(1e6) } = overrides;
  const { latencyNs = serviceNs } = overrides;
  return {
    ...{ slots, sent, ok, dropped, startNs, windowNs },
    censored: dropped,
    latencyNs,
    serviceNs,
    endedNs: latencyNs.map((ns, nth) => startNs + windowNs * nth / slots + ns),
    slipNs: new Float64Array(sent),
    achievedPerSecond: ok / (windowNs / 1e9),
    offeredPerSecond: slots / (windowNs / 1e9),
    backlogSlopePerSecond: 0,
    end: "complete",
    ...overrides,
  };
}
