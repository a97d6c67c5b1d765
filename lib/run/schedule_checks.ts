/**
 * Did an open loop keep to its schedule, and did the server keep up with it?
 *
 * @module
 */

import { judgePace, type PacedRun, type PaceFinding } from "../load/judge_pace.ts";
import type { OpenLoopResult } from "../load/open.ts";
import type { Fact } from "../schema.ts";
import type { CaseResult, Recording } from "./scenario.ts";

const END_TEXTS: Record<OpenLoopResult["end"], string> = {
  complete: "complete",
  stopped: "stopped",
  connectionLost: "every connection was lost",
  silent: "the server went silent",
  aborted: "interrupted",
};

/** What a schedule came to. */
export interface ScheduleRun {
  runs: readonly PacedRun[];
  /** In nanoseconds, however few the calls; `null`: none has ended. */
  latencyP99Ns: number | null;
  slipP99Ns: number | null;
}

/** The same of a case of an open loop. */
export function scheduleOf({ open, latency, slip }: CaseResult): ScheduleRun {
  return {
    runs: open,
    latencyP99Ns: latency.percentile(99),
    slipP99Ns: slip?.percentile(99) ?? null,
  };
}

/** Checks that every slot was sent, and warns of a server that falls behind and of a client that is late. */
export function judgeSchedule(
  recording: Pick<Recording, "check" | "invalidate">,
  { runs: all, ...times }: ScheduleRun,
): void {
  const runs = all.filter(({ end }) => end !== "aborted");
  checkEverySlotSent(recording, runs);
  for (const finding of judgePace(runs, times)) recording.invalidate(factOf(finding));
}

function checkEverySlotSent(recording: Pick<Recording, "check">, runs: readonly PacedRun[]): void {
  const seen = runs.reduce((sum, { sent }) => sum + sent, 0);
  const wanted = runs.reduce((sum, { slots }) => sum + slots, 0);
  const early = runs.find(({ end }) => end !== "complete");
  const observed = [
    `${seen} of ${wanted}`,
    ...(seen === wanted
      ? []
      : [`${wanted - seen} dropped: too many calls outstanding, or the connection gone`]),
    ...(early === undefined ? [] : [`ended early: ${END_TEXTS[early.end]}`]),
  ];
  recording.check({
    kind: "slots",
    name: "every slot sent",
    passed: seen === wanted && early === undefined,
    expected: `${wanted} of ${wanted}, to the end of the schedule`,
    observed: observed.join("; "),
    seen,
    wanted,
  });
}

function factOf(finding: PaceFinding): Fact {
  switch (finding.kind) {
    case "serverBehind": {
      const { achievedPerSecond: achieved, offeredPerSecond: offered, backlogPerSecond } = finding;
      const grew = backlogPerSecond > 0
        ? `, and ${shown(backlogPerSecond)} more waited with each second`
        : "";
      const message = `the server falls behind: it answered ${shown(achieved)} of ${
        shown(offered)
      } calls/s${grew}`;
      return { ...finding, message };
    }
    case "clientLate": {
      const { slipP99Ns, latencyP99Ns } = finding;
      const message =
        `the client sent calls late: the p99 of slip is ${shown(slipP99Ns / 1e6)} ms, ` +
        `that of the latency ${
          shown(latencyP99Ns / 1e6)
        } ms: use an idle machine or a lower --rate`;
      return { ...finding, message };
    }
    default:
      return finding satisfies never;
  }
}

/** With three significant digits. */
function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
