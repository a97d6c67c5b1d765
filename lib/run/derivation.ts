import type { At, ShardPlace } from "../schema.ts";
import type { CaseGroup } from "./case_group.ts";
import { recordingOf } from "./context.ts";
import type { ScenarioRecord } from "./record.ts";
import { rateOf, type Run } from "./run.ts";
import type { Case, Derivation, Parameters } from "./scenario.ts";

/** Lets a case scenario read what its cases came to, and record what follows. */
export function deriveFrom(
  run: Run,
  { parameters, record, group, place }: {
    parameters: Parameters;
    place: ShardPlace;
    record: ScenarioRecord;
    group: CaseGroup;
  },
): Derivation {
  const { maxRatePerSecond } = run.settings;
  return {
    parameters,
    maxRatePerSecond,
    seed: run.settings.seed,
    place,
    of: (one) => group.resultOf(one, record),
    floorOf: (one) => group.floorOf(one),
    calls(one: Case, at?: At) {
      const result = group.resultOf(one, record);
      if (result === null) return null;
      const placed = at === undefined ? {} : { at };
      record.adopt("latency", result.latency, placed);
      record.estimate("throughput", result.rates, { ...placed, within: result.within });
      const keptTo = rateOf(run, one.clients);
      if (keptTo !== null) {
        record.note({
          kind: "cappedRate",
          message:
            `each client is kept to ${keptTo} calls/s, which bounds the throughput: only the latency ` +
            "is the server's",
          maxRatePerSecond: keptTo,
        });
      }
      return result;
    },
    adopt: (name, recorder, options) => record.adopt(name, recorder, options),
    estimate: (name, epochs, options) => record.estimate(name, epochs, options),
    single: (name, value, options) => record.scalar(name, value, { ...options, cold: true }),
    ...recordingOf(record),
  };
}
