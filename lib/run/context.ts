import type { OpenLedger } from "../client/ledger.ts";
import { WHOLE } from "../load/share.ts";
import type { PlannedScenario } from "./plan.ts";
import type { ScenarioRecord } from "./record.ts";
import type { Run } from "./run.ts";
import type { Recording, ScenarioContext } from "./scenario.ts";

/** What a scenario works with: the run, and its own record. */
export function createContext(
  run: Run,
  { planned, record, epochs, onProgress }: {
    planned: PlannedScenario;
    record: ScenarioRecord;
    /** After the warm-up. */
    epochs: number;
    onProgress: (done: number, total: number) => void;
  },
): ScenarioContext {
  return {
    ...recordingOf(record),
    parameters: planned.parameters,
    target: run.target,
    workload: run.workload,
    bundled: run.bundled,
    heavyTools: run.heavyTools,
    sessionWork: run.sessionWork,
    clock: run.clock,
    signal: run.signal,
    seed: run.settings.seed,
    place: planned.place ?? WHOLE,
    loops: run.settings.loops ?? 1,
    get maxRatePerSecond(): number | null {
      return run.settings.maxRatePerSecond;
    },
    get keepsToLimit(): boolean {
      return run.rateLimit !== undefined;
    },
    get sharesWithRelayed(): boolean {
      const some = run.planned.some(({ scenario, skip }) => scenario.relaysSome && !skip);
      return some && run.target.hasRelay && !run.target.relays();
    },
    isNamed: run.settings.scenarios?.includes(planned.scenario.name) ?? false,
    epochs,
    get epoch(): number {
      return record.epoch;
    },
    warmupLedger: record.warmupLedger,
    get ledger(): OpenLedger {
      return record.ledger;
    },
    pacer: () => run.pacer(),
    progress: onProgress,
  };
}

/** What a scenario can say of its measurements, as its record takes it. */
export function recordingOf(record: ScenarioRecord): Recording {
  return {
    check: (check) => record.check(check),
    tally: (count) => record.tally(count),
    notMeasured: (name, reason) => record.notMeasured(name, reason),
    note: (fact) => record.note(fact),
    invalidate: (fact) => record.invalidate(fact),
    setHeadline: (ref) => record.setHeadline(ref),
    distribution: (name, options) => record.distribution(name, options),
    scalar: (name, value, options) => record.scalar(name, value, options),
  };
}
