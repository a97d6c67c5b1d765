/**
 * Open-loop runs within a scenario: what they record, and what makes them invalid.
 *
 * @module
 */

import { type OpenLoopResult, runOpenLoop } from "../load/open.ts";
import { shareOf } from "../load/share.ts";
import type { Schedule } from "../load/schedule.ts";
import type { Call } from "../client/call_book.ts";
import type { Connection } from "../client/connection.ts";
import type { DistributionRecorder } from "../stats/summary.ts";
import type { ScenarioContext } from "./scenario.ts";

/** A call sent later than this after its time is late. */
const LATE_NS = 1e6;
/** With more than this share of late calls, the p99 of slip is over 1 ms and the numbers are the client's. */
const LATE_SHARE_LIMIT = 0.01;

/** Where the times of paced calls go, all in nanoseconds. */
export interface PacedRecorders {
  /** From the intended time to the end; of successes. */
  latency?: DistributionRecorder;
  /** From the sending to the end; of successes. */
  serviceTime?: DistributionRecorder;
  /** From the intended time to the sending; of all calls. */
  slip?: DistributionRecorder;
}

/** One open-loop run. */
export interface PacedOptions {
  connections: readonly Connection[];
  schedule: Schedule;
  /** Of all shards together; `null`: rate x timeout. */
  maxOutstanding: number | null;
  /** Of all shards together. */
  ratePerSecond: number;
  recorders: PacedRecorders;
  onCall?: (call: Call, intendedNs: number) => "stop" | void;
  onDropped?: () => "stop" | void;
}

/** What an open-loop run did. */
export interface PacedResult extends OpenLoopResult {
  /** Calls that were sent over 1 ms after their time. */
  late: number;
}

/** Sends the calls of a schedule and records their times. */
export async function runPaced(
  context: ScenarioContext,
  options: PacedOptions,
): Promise<PacedResult> {
  const { recorders, ratePerSecond } = options;
  const maxOutstanding = options.maxOutstanding ??
    Math.ceil(ratePerSecond * context.target.options.timeoutMs / 1000);
  let late = 0;
  const result = await runOpenLoop(options.connections, {
    message: context.workload,
    schedule: options.schedule,
    maxOutstanding: Math.max(1, shareOf(maxOutstanding, context.place)),
    ledger: context.ledger,
    clock: context.clock,
    signal: context.signal,
    ...(options.onDropped === undefined ? {} : { onDropped: options.onDropped }),
    onCall: (call, intendedNs) => {
      const { status, sentNs, endedNs } = call;
      const slipNs = sentNs - intendedNs;
      if (slipNs > LATE_NS) late++;
      recorders.slip?.record(slipNs);
      if (status === "ok") {
        recorders.latency?.record(endedNs - intendedNs, endedNs);
        recorders.serviceTime?.record(endedNs - sentNs);
      }
      return options.onCall?.(call, intendedNs);
    },
  });
  return { ...result, late };
}

/** Whether the client kept too little of its schedule for the numbers to be the server's. */
export function isClientBound({ late, sent }: Pick<PacedResult, "late" | "sent">): boolean {
  return late > sent * LATE_SHARE_LIMIT;
}

/** Marks the numbers invalid where the client did not keep its schedule. */
export function judgeSlip(
  context: ScenarioContext,
  results: readonly Pick<PacedResult, "late" | "sent">[],
): void {
  const late = results.reduce((sum, result) => sum + result.late, 0);
  const sent = results.reduce((sum, result) => sum + result.sent, 0);
  if (!isClientBound({ late, sent })) return;
  context.invalidate(
    `slip: ${
      (100 * late / sent).toFixed(1)
    } % of the calls were sent over 1 ms late, so that the ` +
      `client bounds the numbers: use an idle machine or a lower --rate`,
  );
}

const END_TEXTS: Record<OpenLoopResult["end"], string> = {
  complete: "complete",
  stopped: "stopped",
  connectionLost: "every connection was lost",
  silent: "the server went silent",
  aborted: "interrupted",
};

/** Checks that the whole schedule was sent. */
export function checkEverySlotSent(
  context: ScenarioContext,
  results: readonly OpenLoopResult[],
): void {
  const slots = results.reduce((sum, result) => sum + result.slots, 0);
  const sent = results.reduce((sum, result) => sum + result.sent, 0);
  const early = results.find(({ end }) => end !== "complete");
  context.check({
    name: "every slot sent",
    passed: sent === slots && early === undefined,
    expected: `${slots} of ${slots}, to the end of the schedule`,
    observed: [
      `${sent} of ${slots}`,
      ...(sent === slots
        ? []
        : [`${slots - sent} dropped: too many calls outstanding, or the connection gone`]),
      ...(early === undefined ? [] : [`ended early: ${END_TEXTS[early.end]}`]),
    ].join("; "),
  });
}
