import { wait } from "../load/pace.ts";
import type { Entry } from "./entry.ts";
import type { LiveScenario } from "./live.ts";
import type { ProcedurePlan } from "./scenario.ts";

/** Work of one turn in an epoch: a group of scenarios that share cases, or a procedure. */
export interface Unit extends LiveScenario {
  readonly members: readonly Entry[];
  /** In milliseconds; `null`: as long as its calls take; 0: nothing to do in this epoch. */
  lengthMs(epoch: number): number | null;
  /** @param startMs unix time in milliseconds at which all shards start; `null`: immediately */
  epoch(epoch: number, startMs: () => Promise<number | null>): Promise<"stop" | void>;
}

const EPOCHS_CHECK = { kind: "epochs", name: "every epoch measured" };

/** The epochs of a procedure. */
export function procedureUnit(
  entry: Entry,
  measure: NonNullable<ProcedurePlan["epoch"]>,
): Unit {
  const { run, record, planned: { scenario } } = entry;
  const takesPart = (epoch: number) =>
    epoch > 0 || scenario.kind === "cases" || scenario.warmsUp !== false;
  return {
    members: [entry],
    isPaced: record.isPaced,
    live: () => record.live(),
    lengthMs: (epoch) => takesPart(epoch) ? null : 0,
    async epoch(epoch, startMs) {
      if (!takesPart(epoch)) return;
      record.tally({ ...EPOCHS_CHECK, seen: 0, wanted: 1 });
      const dueMs = await startMs();
      if (dueMs !== null) await wait(dueMs - run.clock.date().getTime(), run);
      run.signal.throwIfAborted();
      record.startMeasuring(dueMs);
      const outcome = await measure();
      record.endMeasuring();
      record.tally({ ...EPOCHS_CHECK, seen: 1, wanted: 0 });
      return outcome;
    },
  };
}
