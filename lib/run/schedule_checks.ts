import { judgePace, type PacedRun, type PaceFinding } from "../load/judge_pace.ts";
import type { Check } from "../schema.ts";
import type { Recording, TimesRecorder } from "./scenario.ts";

const END_TEXTS: Record<PacedRun["end"], string> = {
  complete: "complete",
  stopped: "stopped",
  connectionLost: "every connection was lost",
  silent: "the server went silent",
  aborted: "interrupted",
};

/** Result of a schedule. */
interface ScheduleRun {
  runs: readonly PacedRun[];
  latency: Pick<TimesRecorder, "percentile">;
  slip: Pick<TimesRecorder, "percentile">;
}

/** Warns if the server fell behind or the client was late. */
export function judgeLateness(
  { invalidate }: Pick<Recording, "invalidate">,
  { runs, latency, slip }: ScheduleRun,
): void {
  const times = { latencyP99Ns: latency.percentile(99), slipP99Ns: slip.percentile(99) };
  for (const finding of judgePace(runs, times)) {
    invalidate({ ...finding, message: wordsOf(finding) });
  }
}

/** Checks that every slot was sent. Warns if the server fell behind or the client was late. */
export function judgeSchedule(
  recording: Pick<Recording, "check" | "invalidate">,
  { runs: all, ...times }: ScheduleRun,
): void {
  const runs = all.filter(({ end }) => end !== "aborted");
  recording.check(everySlotSent(runs));
  judgeLateness(recording, { runs, ...times });
}

function everySlotSent(runs: readonly PacedRun[]): Check {
  const seen = runs.reduce((sum, { sent }) => sum + sent, 0);
  const wanted = runs.reduce((sum, { slots }) => sum + slots, 0);
  const early = runs.find(({ end }) => end !== "complete");
  const dropped = `${wanted - seen} dropped: too many calls outstanding, or the connection lost`;
  const observed = [
    `${seen} of ${wanted}`,
    ...seen === wanted ? [] : [dropped],
    ...early === undefined ? [] : [`ended early: ${END_TEXTS[early.end]}`],
  ].join("; ");
  const passed = seen === wanted && early === undefined;
  const expected = `${wanted} of ${wanted}, to the end of the schedule`;
  return { kind: "slots", name: "every slot sent", passed, expected, observed, seen, wanted };
}

function wordsOf(finding: PaceFinding): string {
  switch (finding.kind) {
    case "serverBehind": {
      const { achievedPerSecond, offeredPerSecond, backlogPerSecond: waiting } = finding;
      const [achieved, offered] = [achievedPerSecond, offeredPerSecond].map(shown);
      const grew = waiting > 0 ? `, and the backlog grew by ${shown(waiting)} calls/s` : "";
      return `the server falls behind: it answered ${achieved} of ${offered} calls/s${grew}`;
    }
    case "clientLate": {
      const [slip, latency] = [finding.slipP99Ns, finding.latencyP99Ns].map((ns) =>
        shown(ns / 1e6)
      );
      return `the client sent calls late: 1 in 100 by more than ${slip} ms (p99 of slip), against ` +
        `a p99 latency of ${latency} ms; use an idle machine or a lower --rate`;
    }
    default:
      return finding satisfies never;
  }
}

/** With three significant digits. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
