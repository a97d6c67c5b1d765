import type { PacedRun } from "../../lib/load/judge_pace.ts";

/** A run of 100 calls at 100 a second that were all sent and answered, unless said otherwise. */
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
