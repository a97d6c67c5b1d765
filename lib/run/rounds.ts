import type { DistributionRecorder } from "../stats/summary.ts";
import type { ScenarioContext } from "./scenario.ts";

/**
 * Collects garbage, where the runtime was started with `--expose-gc`: what one round leaves behind
 * should not be a pause in the next one.
 */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

/**
 * Waits, with the garbage collected, until the measured phase begins, which is the same moment for all
 * shards. To be called where something counts from that moment; the first round calls it otherwise.
 */
export async function beginTogether(context: ScenarioContext): Promise<void> {
  if (context.roundTimes.hasBegun) return;
  collectGarbage();
  await context.roundTimes.begin();
}

/**
 * Runs the measured rounds one after the other, each with the recorders' rounds open. A round that
 * returns `"stop"` is the last, and each waits for its time where one is planned; an interrupt ends them with the signal's reason. A round that was cut short
 * counts in the pooled figures only.
 */
export async function forEachRound(
  context: ScenarioContext,
  options: {
    recorders: readonly DistributionRecorder[];
    round: (index: number) => Promise<"stop" | void>;
  },
): Promise<void> {
  const { rounds } = context.parameters;
  for (let index = 0; index < rounds; index++) {
    context.progress(index, rounds);
    if (index === 0) await beginTogether(context);
    else collectGarbage();
    await context.roundTimes.startRound(index);
    for (const recorder of options.recorders) recorder.startRound();
    const stop = await options.round(index);
    context.roundTimes.endRound();
    context.signal.throwIfAborted();
    for (const recorder of options.recorders) recorder.endRound();
    if (stop === "stop") return;
  }
  context.progress(rounds, rounds);
}
