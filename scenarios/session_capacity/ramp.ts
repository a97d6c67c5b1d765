import { wait } from "../../lib/load/pace.ts";
import type { SessionSpec, Step } from "../../lib/load/session.ts";
import { levelAt, spanOf, type Stage } from "../../lib/load/stages.ts";
import { mayMiss, type SessionContext, SessionsSeen } from "./sessions_seen.ts";

/** How often the number of sessions is set. */
const STEP_MS = 20;
/** The curve has so many points. */
const LEVELS = 10;

/** What a ramp of sessions came to. */
export interface RampResult {
  /** The most sessions up to which the objective was met; `null`: it never was. */
  carried: number | null;
  /** The most that were there. */
  held: number;
  refusal: string | null;
  unfilled: Step | null;
}

/**
 * Lets the number of sessions follow the stages, never over the connections asked for. Calls are recorded by the
 * number of sessions at their end, rounded up to a tenth of the most.
 *
 * @throws the signal's reason, if it is aborted
 */
export async function runRamp(
  context: SessionContext,
  { spec, stages }: { spec: SessionSpec<Step>; stages: readonly Stage[] },
): Promise<RampResult> {
  const { clock, signal, ledger, parameters: { connections, sloMs } } = context;
  const step = Math.ceil(connections / LEVELS);
  const counts = new Map<number, { calls: number; over: number }>();
  const seen = new SessionsSeen(context, {
    spec,
    seed: context.seed,
    onCall({ status, sentNs, endedNs }, now) {
      const sessions = Math.min(connections, Math.ceil(now / step) * step);
      const count = counts.get(sessions) ?? { calls: 0, over: 0 };
      counts.set(sessions, count);
      count.calls++;
      if (status !== "ok" || endedNs - sentNs > sloMs * 1e6) count.over++;
      const latency = context.distribution("latency", { at: { sessions } });
      if (status === "ok") latency.record(endedNs - sentNs);
      else if (status !== "aborted") latency.censor(1, endedNs - sentNs);
    },
  });
  const startNs = clock.nowNs();
  const elapsedMs = () => (clock.nowNs() - startNs) / 1e6;
  const spanMs = spanOf(stages);
  const { crowd } = seen;
  crowd.useLedger(ledger);
  let before = 0;
  try {
    while (elapsedMs() < spanMs && !signal.aborted) {
      const level = Math.min(connections, Math.round(levelAt(stages, elapsedMs())));
      // Each comes once, also where the server refuses it.
      crowd.want(Math.min(level, crowd.wanted + Math.max(0, level - before)));
      before = level;
      context.progress(elapsedMs(), spanMs);
      await wait(STEP_MS, context);
    }
  } finally {
    await crowd.leave();
  }
  signal.throwIfAborted();
  const levels = [...counts].sort(([a], [b]) => a - b);
  const missed = levels.findIndex(([, { calls, over }]) => over > mayMiss(calls));
  const carried = levels.at(missed < 0 ? levels.length - 1 : missed - 1);
  const { held, refusal, unfilled } = seen;
  return {
    carried: missed === 0 || carried === undefined ? null : Math.min(held, carried[0]),
    ...{ held, refusal, unfilled },
  };
}
