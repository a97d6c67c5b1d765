import type { PacedRun } from "../load/open.ts";
import type { Check, Fact } from "../schema.ts";
import { median } from "../stats/median.ts";
import type { Recording, TimesRecorder } from "./scenario.ts";

/** Share of the offered rate that may be missed, or added to the backlog. */
const BEHIND_SHARE = 0.01;
/** Maximum p99 of slip, as a share of the p99 of latency. */
const SLIP_SHARE = 0.1;

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

/** Checks that every slot was sent. Warns if the server fell behind or the client was late. */
export function judgeSchedule(
  recording: Pick<Recording, "check" | "invalidate">,
  { runs: all, ...times }: ScheduleRun,
): void {
  const runs = all.filter(({ end }) => end !== "aborted");
  recording.check(everySlotSent(runs));
  const behind = serverBehind(runs.filter(({ end }) => end === "complete"));
  if (behind !== null) recording.invalidate(behind);
  judgeClient(recording, times);
}

/** Warns if the client sent calls so late that the latencies are not the server's. */
export function judgeClient(
  { invalidate }: Pick<Recording, "invalidate">,
  { latency, slip }: Omit<ScheduleRun, "runs">,
): void {
  const [latencyP99Ns, slipP99Ns] = [latency.percentile(99), slip.percentile(99)];
  if (slipP99Ns === null || latencyP99Ns === null) return;
  if (slipP99Ns <= latencyP99Ns * SLIP_SHARE) return;
  const message =
    `the client sent calls late: 1 in 100 by more than ${shown(slipP99Ns / 1e6)} ms (p99 of ` +
    `slip), against a p99 latency of ${shown(latencyP99Ns / 1e6)} ms; use an idle machine or a ` +
    "lower --rate";
  invalidate({ kind: "clientLate", slipP99Ns, latencyP99Ns, message });
}

/**
 * A warning if the server did not keep up with the rate. Rates are medians over the complete runs,
 * so that a pause at the end of a single run decides nothing.
 */
function serverBehind(runs: readonly PacedRun[]): Fact | null {
  if (runs.length === 0) return null;
  const medianOf = (rate: (run: PacedRun) => number) => median(runs.map(rate));
  const offeredPerSecond = medianOf((run) => run.offeredPerSecond);
  const achievedPerSecond = medianOf((run) => run.achievedPerSecond);
  const backlogPerSecond = medianOf((run) => run.backlogSlopePerSecond);
  // Slots are dropped once the backlog has reached its bound.
  const grows = backlogPerSecond > BEHIND_SHARE * offeredPerSecond ||
    runs.some(({ sent, slots }) => sent < slots);
  if (!grows || achievedPerSecond >= (1 - BEHIND_SHARE) * offeredPerSecond) return null;
  const [achieved, offered] = [shown(achievedPerSecond), shown(offeredPerSecond)];
  const grew = backlogPerSecond > 0
    ? `, and the backlog grew by ${shown(backlogPerSecond)} calls/s`
    : "";
  const message = `the server falls behind: it answered ${achieved} of ${offered} calls/s${grew}`;
  return { kind: "serverBehind", achievedPerSecond, offeredPerSecond, backlogPerSecond, message };
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

/** With three significant digits. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
