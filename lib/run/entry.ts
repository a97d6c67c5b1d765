import { openLedger, settleLedger } from "../client/ledger.ts";
import { shareOf, WHOLE } from "../load/share.ts";
import type { Reason, ScenarioReport } from "../schema.ts";
import { type Course, driftOf, endsOf, type Slowdown } from "../stats/trend.ts";
import type { CaseGroup } from "./case_group.ts";
import { createContext } from "./context.ts";
import { deriveFrom } from "./derivation.ts";
import { describeHeavyTools } from "./heavy_tools.ts";
import type { PlannedScenario } from "./plan.ts";
import { ScenarioRecord } from "./record.ts";
import type { Run } from "./run.ts";
import { type CasePlan, type ProcedurePlan, type ScenarioContext, titleOf } from "./scenario.ts";
import { ClientMonitor, floorShare, validityOf } from "./validity.ts";
import { EXIT, failedCheckReasons } from "./verdict.ts";

/** How a scenario ended before it was done. */
export interface EarlyEnd {
  status: "skipped" | "failed" | "interrupted";
  reason: string;
  /** The target cannot be measured at all. */
  unusable?: boolean;
}

/** A planned scenario on its way through a run. Dispose of it when its report has been made. */
export class Entry implements Disposable {
  readonly run: Run;
  readonly planned: PlannedScenario;
  readonly record: ScenarioRecord;
  readonly context: ScenarioContext;
  readonly monitor: ClientMonitor;
  readonly #startedAt: string;
  plan: CasePlan | ProcedurePlan | null = null;
  group: CaseGroup | null = null;
  spentNs = 0;
  /** `null`: it goes on. */
  end: EarlyEnd | null;
  /** Nothing more can be measured in epochs, and that is no failure. */
  isExhausted = false;

  constructor(
    run: Run,
    planned: PlannedScenario,
    onProgress: (done: number, total: number) => void,
  ) {
    const { clock, settings, epochs } = run;
    this.run = run;
    this.planned = planned;
    this.record = new ScenarioRecord({
      described: planned.scenario,
      parameters: planned.parameters,
      clock,
      seed: settings.seed,
      mergeable: (planned.place ?? WHOLE).count > 1,
    });
    this.context = createContext(run, { planned, record: this.record, epochs, onProgress });
    this.monitor = new ClientMonitor(clock);
    this.#startedAt = clock.date().toISOString();
    this.end = planned.skip === undefined ? null : { status: "skipped", reason: planned.skip };
  }

  get name(): string {
    return this.planned.scenario.name;
  }

  /** Does it take part in the next epoch? */
  get isGoing(): boolean {
    return this.end === null && !this.isExhausted;
  }

  get casePlan(): CasePlan | null {
    return this.plan !== null && "derive" in this.plan ? this.plan : null;
  }

  /** Looks at the server, where the scenario must, and takes its plan. */
  async begin(): Promise<void> {
    const begun = await this.planned.scenario.begin(this.context);
    if ("skipped" in begun) this.end = { status: "skipped", reason: begun.skipped };
    else this.plan = begun;
  }

  /** Its headline over the epochs; `null`: it says nothing of how long calls take, as that of connecting does not. */
  get course(): Course | null {
    const better = this.record.headlineMetric()?.better ?? null;
    // Of a few calls at quiet moments nothing can be said, nor do they age a server much.
    const isPaced = this.run.settings.maxRatePerSecond !== null;
    return better === null || this.casePlan === null || isPaced || this.planned.scenario.overloads
      ? null
      : { epochs: this.record.headlineEpochs(), better };
  }

  /** The calls a second of its first case, by epoch; empty where they are not the server's. */
  get rates(): readonly number[] {
    const [one] = this.casePlan?.cases ?? [];
    if (one === undefined || this.run.settings.maxRatePerSecond !== null) return [];
    const rates = this.group?.resultOf(one, this.record)?.rates ?? [];
    return rates.flatMap((rate) => rate ?? []);
  }

  /** The same of the server that does nothing, in the same blocks. */
  get floorRates(): readonly number[] {
    const held = this.casePlan?.floors?.[0];
    const rates = held === undefined ? [] : this.group?.floorOf(held)?.rates ?? [];
    return rates.flatMap((rate) => rate ?? []);
  }

  /** Makes anew what follows from the cases, as far as they have been measured; `slowdown`: that of the whole run. */
  derive(slowdown: Slowdown | null = null): void {
    const { record, group, casePlan } = this;
    record.derive(() => {
      if (group !== null && casePlan !== null) {
        const { parameters, place = WHOLE } = this.planned;
        casePlan.derive(deriveFrom(this.run, { parameters, record, group, place }));
        const hasFloors = (casePlan.floors ?? []).length > 0;
        if (hasFloors && group.floorFailure !== null) {
          record.notMeasured("client floor", group.floorFailure);
        }
      }
      this.#lookForDrift(slowdown);
    });
  }

  #lookForDrift(slowdown: Slowdown | null): void {
    if (this.planned.scenario.overloads) return;
    const better = this.record.headlineMetric()?.better ?? null;
    const ends = slowdown === null || better === null
      ? null
      : endsOf({ epochs: this.record.headlineEpochs(), better });
    const drift = driftOf(this.record.headlineEpochs()) ??
      (ends === null ? null : { ...ends, p: slowdown!.p });
    if (drift === null) return;
    const { first, last, p } = drift;
    const [from, to] = [first, last].map((value) => Number(value.toPrecision(3)));
    this.record.invalidate({
      kind: "drift",
      message:
        `the headline went from ${from} to ${to} in the course of the run, so that there is no one ` +
        "number: restart the server, or measure it at the same age each time",
      first,
      last,
      p,
    });
  }

  /** Its report, with what has been recorded and derived so far. */
  report(): ScenarioReport {
    const { run, planned, record, end, monitor, group, casePlan } = this;
    const { scenario, place } = planned;
    const figures = record.figures({
      serverStreams: run.target.observed.streamComplete,
      interrupted: end?.status === "interrupted",
    });
    const failed = figures.checks.some(({ passed }) => !passed);
    const held = casePlan?.floors?.[0];
    return {
      name: scenario.name,
      title: titleOf(scenario),
      question: scenario.question,
      status: end?.status ?? (failed ? "failed" : "passed"),
      reason: end?.reason ?? null,
      startedAt: this.#startedAt,
      durationMs: this.spentNs / 1e6,
      parameters: reportedParameters(run, planned),
      ...(scenario.overloads ? { overloads: true } : {}),
      ...figures,
      ...reportedShare(planned, place ?? WHOLE),
      validity: validityOf({
        warnings: record.warnings,
        ledger: figures.ledger,
        clientCpu: group?.clientCpu(record) ?? monitor.clientCpu,
        loopLagP99Ns: monitor.loopLagP99Ns,
        floor: group === null || held === undefined
          ? null
          : floorShare(group.resultOf(held, record), group.floorOf(held)),
        capped: run.settings.maxRatePerSecond !== null,
      }),
    };
  }

  [Symbol.dispose](): void {
    this.record[Symbol.dispose]();
    this.monitor[Symbol.dispose]();
  }
}

/**
 * All that the workload depends on, so that runs of different ones are not compared. A scenario that has sizes
 * of its own says which.
 */
function reportedParameters(
  { settings, heavyTools, sessionWork }: Run,
  { scenario, parameters }: PlannedScenario,
): ScenarioReport["parameters"] {
  return {
    payloadBytes: settings.overrides.payloadBytes ?? 0,
    ...parameters,
    ...(scenario.heavyCalls === undefined ? {} : { heavyTools: describeHeavyTools(heavyTools) }),
    ...(scenario.worksInSessions ? { workload: sessionWork.description } : {}),
    maxRatePerSecond: settings.maxRatePerSecond,
    toolArgs: settings.toolArgsJson,
  };
}

/** What of it a shard has run; nothing of a scenario that was run whole. */
function reportedShare(
  { parameters: { connections } }: PlannedScenario,
  place: { index: number; count: number },
): Pick<ScenarioReport, "share"> {
  return place.count === 1 || typeof connections !== "number"
    ? {}
    : { share: { connections: shareOf(connections, place), of: connections } };
}

/** What a scenario's report says against the run. */
export function reasonsOf({ end }: Pick<Entry, "end">, report: ScenarioReport): Reason[] {
  const scenario = report.name;
  if (end?.unusable) {
    return [{ code: EXIT.targetUnusable, kind: "targetUnusable", scenario, message: end.reason }];
  }
  const failed = failedCheckReasons(report);
  if (report.status !== "failed" || report.reason === null) return failed;
  const ended = { code: EXIT.checkFailed, kind: "failed", scenario, message: report.reason };
  return [ended, ...failed];
}

/** The place in the report of a scenario that was not run, for the reason given. */
export function notRun(
  run: Run,
  planned: PlannedScenario,
  { status, reason }: { status: "interrupted" | "skipped"; reason: string },
): ScenarioReport {
  const empty = settleLedger(openLedger(), false);
  const { name, question } = planned.scenario;
  return {
    ...{ name, title: titleOf(planned.scenario), question, status, reason },
    startedAt: run.clock.date().toISOString(),
    durationMs: 0,
    parameters: reportedParameters(run, planned),
    checks: [],
    notMeasured: [],
    warmupLedger: empty,
    ledger: empty,
    metrics: [],
    validity: validityOf({
      warnings: [],
      ledger: empty,
      clientCpu: null,
      loopLagP99Ns: null,
      floor: null,
      capped: false,
    }),
  };
}
