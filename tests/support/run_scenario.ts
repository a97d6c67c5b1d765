import type { ScenarioReport } from "../../lib/contract.ts";
import type { TargetOptions } from "../../lib/net/target.ts";
import { RecordingContext } from "../../lib/run/context.ts";
import type { Parameters, Scenario } from "../../lib/run/scenario.ts";
import { STATUS, targetAt } from "./targets.ts";

/** What a scenario left in its context. */
export type ScenarioFigures =
  & ReturnType<RecordingContext["figures"]>
  & Pick<ScenarioReport, "status">;

/** How a scenario is run: the parameters that differ from its quick profile, and how to reach the server. */
export interface RunScenarioOptions<P extends Parameters> {
  parameters?: Partial<P>;
  target?: Partial<TargetOptions>;
  /** Hears of the beginning of each round. */
  onProgress?: (done: number, total: number) => void;
}

/** Runs a scenario against a server by itself, in its quick profile. */
export async function runScenarioAt<P extends Parameters>(
  url: string,
  scenario: Scenario<P>,
  options: RunScenarioOptions<P> = {},
): Promise<ScenarioFigures> {
  using target = targetAt(url, options.target);
  using context = new RecordingContext<P>({
    parameters: { ...scenario.defaults.quick, ...options.parameters },
    target,
    workload: () => STATUS,
    clock: target.options.clock,
    signal: target.options.signal,
    seed: 1,
    maxRatePerSecond: null,
    metrics: scenario.metrics,
    overloads: scenario.overloads ?? false,
    onProgress: options.onProgress ?? (() => {}),
  });
  let interrupted = false;
  try {
    await scenario.run(context);
  } catch (error) {
    if (!target.options.signal.aborted) throw error;
    interrupted = true;
  }
  const figures = context.figures();
  const failed = figures.checks.some(({ passed }) => !passed);
  return { ...figures, status: interrupted ? "interrupted" : failed ? "failed" : "passed" };
}
