import type { PacedRun } from "../../lib/load/open.ts";

/** By default, a run of 100 calls at 100 a second that were all sent and answered. */
export function pacedRun(change: Partial<PacedRun> = {}): PacedRun {
  return {
    slots: 100,
    sent: 100,
    offeredPerSecond: 100,
    achievedPerSecond: 100,
    backlogSlopePerSecond: 0,
    end: "complete",
    ...change,
  };
}
