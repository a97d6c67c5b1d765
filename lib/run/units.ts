import { wait } from "../load/pace.ts";
import { caseKey } from "./case.ts";
import { CaseGroup } from "./case_group.ts";
import type { NullServerFloor } from "./client_floor.ts";
import { type CaseEntry, type Entry, hasCases } from "./entry.ts";
import type { ProcedurePlan } from "./scenario.ts";

/** Work of one turn in an epoch: a group of scenarios that share cases, or a procedure. */
export type Unit = CaseGroup | ReturnType<typeof procedureUnit>;

/** Divides the work of epochs into units; the stack disposes of them. */
export function createUnits(
  entries: readonly Entry[],
  { floors, stack }: { floors: NullServerFloor; stack: DisposableStack },
): Unit[] {
  const groups = groupBySharedCases(entries.filter(hasCases));
  return [
    ...groups.map((members) => stack.use(new CaseGroup(members, floors))),
    ...entries.flatMap((entry) => {
      const work = entry.procedure?.epoch;
      return work === undefined ? [] : procedureUnit(entry, work);
    }),
  ];
}

const EPOCHS_CHECK = { kind: "epochs", name: "every epoch measured" };

function procedureUnit(entry: Entry, work: NonNullable<ProcedurePlan["epoch"]>) {
  const { run, record, planned: { scenario } } = entry;
  const takesPart = (epoch: number) =>
    epoch > 0 || scenario.kind === "cases" || scenario.warmsUp !== false;
  return {
    members: [entry],
    isPaced: record.isPaced,
    live: () => record.live(),
    /** As long as its calls take, if it takes part. */
    lengthMs: (epoch: number) => takesPart(epoch) ? null : 0,
    async epoch(
      epoch: number,
      startMs: () => Promise<number | null>,
    ): Promise<"stop" | void> {
      if (!takesPart(epoch)) return;
      record.tally({ ...EPOCHS_CHECK, seen: 0, wanted: 1 });
      const dueMs = await startMs();
      if (dueMs !== null) await wait(dueMs - run.clock.date().getTime(), run);
      run.signal.throwIfAborted();
      record.startMeasuring(dueMs);
      const outcome = await work();
      record.endMeasuring();
      record.tally({ ...EPOCHS_CHECK, seen: 1, wanted: 0 });
      return outcome;
    },
  };
}

/**
 * Groups scenarios that share cases, directly or through others; the order is kept. What shards
 * measure together is never grouped with what one of them measures alone.
 */
function groupBySharedCases(members: readonly CaseEntry[]): CaseEntry[][] {
  const keysOf = ({ casePlan, place }: CaseEntry) =>
    new Set(casePlan.cases.map((one) => `${place.count} ${caseKey(one)}`));
  let groups: CaseEntry[][] = [];
  for (const member of members) {
    const keys = keysOf(member);
    const joined = groups.filter((group) =>
      group.some((other) => !keysOf(other).isDisjointFrom(keys))
    );
    groups = [...groups.filter((one) => !joined.includes(one)), [...joined.flat(), member]];
  }
  return groups.map((group) => members.filter((member) => group.includes(member)));
}
