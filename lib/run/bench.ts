import type { Report } from "../schema.ts";
import { findAllDifferences, IncomparableError } from "../stats/comparability.ts";
import { Entry } from "./entry.ts";
import { judgeReport } from "./judge_report.ts";
import { useUniqueArguments } from "./cache_probe.ts";
import { keepToLimits } from "./limit_probe.ts";
import { createRun, type Run, type RunHooks } from "./run.ts";
import { TargetUnusableError } from "./scenario.ts";
import type { RunSettings } from "./settings.ts";
import { NOT_FINISHED, prepare, RunReport } from "./run_report.ts";
import { runSuite, type SuiteResult } from "./suite.ts";

/**
 * Runs a benchmark. Server failures are reported, not thrown.
 *
 * @throws {IncomparableError} before measuring anything, if a baseline has another workload
 */
export async function runBench(settings: RunSettings, hooks: RunHooks): Promise<Report> {
  await using run = createRun(settings, hooks);
  const report = new RunReport(run);
  try {
    await prepare([report]);
    refuseIncomparable(run);
    const onEpoch = (soFar: SuiteResult) => {
      Object.assign(report.found, soFar);
      return run.onPartialReport(report.assemble(NOT_FINISHED));
    };
    Object.assign(report.found, await runSuite(run, { onEpoch }));
  } catch (error) {
    report.endWith(error);
  }
  return judgeReport(report.assemble(), settings);
}

/**
 * Prepares a run that is split among workers: finds the rate that the server's limiter allows, and
 * checks that the baselines measured the same workload.
 *
 * @throws {IncomparableError} if they did not, unless forced
 */
export async function prepareSplit(settings: RunSettings, hooks: RunHooks): Promise<RunSettings> {
  await using run = createRun(settings, hooks);
  try {
    await useUniqueArguments([run]);
    await keepToLimits([run]);
  } catch (error) {
    // The workers will run into it too, and report it.
    if (!(error instanceof TargetUnusableError) && !run.signal.aborted) throw error;
  }
  refuseIncomparable(run);
  const found = run.rateLimit === undefined ? {} : { rateLimit: run.rateLimit };
  return { ...run.settings, keepsArguments: true, ...found };
}

function refuseIncomparable(run: Run): void {
  const { baselines, force } = run.settings;
  if (baselines.length === 0 || force) return;
  const report = new RunReport(run);
  report.found.scenarios = run.planned.map((one) => {
    using entry = new Entry(run, one);
    return entry.report();
  });
  const planned = report.assemble();
  const differences = findAllDifferences(baselines, planned);
  if (differences.length > 0) throw new IncomparableError(differences);
}
