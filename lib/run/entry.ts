import { shareOf, WHOLE } from "../load/share.ts";
import type { Reason, ScenarioReport, ShardPlace } from "../schema.ts";
import type { Slowdown } from "../stats/trend.ts";
import { type Case, caseKey, isTargetLoop } from "./case.ts";
import type { CaseRecorder, CaseResult } from "./case_results.ts";
import { courseFact, type HeadlineCourse, overFloor } from "./drift.ts";
import { describeHeavyTools } from "./heavy_tools.ts";
import type { PlannedScenario } from "./plan.ts";
import { ScenarioRecord } from "./record.ts";
import { capOf, type Run } from "./run.ts";
import {
  type CaseLength,
  type CasePlan,
  type Derivation,
  type ProcedurePlan,
  type ScenarioContext,
  titleOf,
} from "./scenario.ts";
import { ClientMonitor, floorShare, shareOfCore, validityOf } from "./validity.ts";
import { EXIT, failedCheckReasons } from "./verdict.ts";

const NOT_RUN = { status: "interrupted", reason: "not run" } as const;

/** A planned scenario and its state in a run. Dispose of it after making its report. */
export class Entry implements Disposable {
  readonly run: Run;
  readonly planned: PlannedScenario;
  readonly place: ShardPlace;
  readonly record: ScenarioRecord;
  readonly monitor: ClientMonitor;
  readonly #startedAt: string;
  /** Its plan, as the kind of scenario that it is. */
  casePlan: CasePlan | null = null;
  procedure: ProcedurePlan | null = null;
  /** What its cases came to, by their keys. */
  readonly results = new Map<string, CaseRecorder>();
  /** The same on the null server. */
  readonly floors = new Map<string, CaseRecorder>();
  spentNs = 0;
  /** Why it ended early; `unusable` if the target cannot be measured at all. */
  end:
    | { status: "skipped" | "failed" | "interrupted"; reason: string; unusable?: boolean }
    | null;
  /** True if further epochs can measure nothing more, which is not a failure. */
  isExhausted = false;
  /** True once it has had a turn or has concluded: until then, it has not passed. */
  hasRun = false;

  constructor(run: Run, planned: PlannedScenario) {
    const { place = WHOLE, skip } = planned;
    this.run = run;
    this.planned = planned;
    this.place = place;
    this.record = new ScenarioRecord(run, planned);
    this.monitor = new ClientMonitor(run.clock);
    this.#startedAt = run.clock.date().toISOString();
    this.end = skip === undefined ? null : { status: "skipped", reason: skip };
  }

  get name(): string {
    return this.planned.scenario.name;
  }

  /** True if it takes part in the next epoch. */
  get isGoing(): boolean {
    return this.end === null && !this.isExhausted;
  }

  /** True if shards share its work. */
  get isSplit(): boolean {
    return this.place.count > 1;
  }

  /** Makes the scenario's plan, for which some scenarios probe the server. */
  async begin(progress: ScenarioContext["progress"]): Promise<void> {
    const { run, record, place, planned: { scenario, parameters } } = this;
    const { seed, loops = 1, maxRatePerSecond } = run.settings;
    const context: ScenarioContext = {
      ...run,
      ...record,
      ...{ parameters, seed, place, loops, maxRatePerSecond, progress },
      keepsToLimit: run.rateLimit !== undefined,
      isNamed: run.settings.scenarios?.includes(scenario.name) ?? false,
      get sharesWithRelayed() {
        return run.planned.some(({ scenario, skip }) => scenario.relaysSome && !skip) &&
          run.target.hasRelay && !run.target.relays();
      },
      get epoch() {
        return record.epoch;
      },
      get ledger() {
        return record.ledger;
      },
    };
    const begun = await scenario.begin(context);
    if ("skipped" in begun) this.end = { status: "skipped", reason: begun.skipped };
    else if ("derive" in begun) this.casePlan = begun;
    else this.procedure = begun;
  }

  /** Its headline over the epochs; `null` if not measured, or if it overloads the server. */
  get course(): HeadlineCourse | null {
    const headline = this.record.headlineCourse();
    if (headline === null || this.planned.scenario.overloads) return null;
    const { own, floor } = this.held;
    return { ...headline, overFloor: overFloor(own?.medians ?? [], floor?.medians ?? []) };
  }

  /** Result of a case on the target or its rig; `null`: not measured. */
  resultOf(one: Case | undefined): CaseResult | null {
    return measured(this.results, one);
  }

  /** Result of its first case; `null` if there is none. */
  get first(): CaseResult | null {
    return this.resultOf(this.casePlan?.cases[0]);
  }

  /** Results of the case with a floor, on the target and on the null server. */
  get held(): { own: CaseResult | null; floor: CaseResult | null } {
    const held = this.casePlan?.floors?.[0];
    return { own: this.resultOf(held), floor: measured(this.floors, held) };
  }

  /** Derives its metrics from what was measured so far; `slowdown`: of the whole run. */
  derive(slowdown: Slowdown | null = null): void {
    const { record } = this;
    record.derive(() => {
      this.casePlan?.derive(this.#derivation());
      const { course } = this;
      const change = course === null ? null : courseFact(course, slowdown);
      if (change !== null) record.invalidate(change);
    });
  }

  #derivation(): Derivation {
    const { run, record } = this;
    return {
      ...record,
      of: (one) => this.resultOf(one),
      floorOf: (one) => measured(this.floors, one),
      calls: (one, at) => {
        const result = this.resultOf(one);
        if (result === null) return null;
        const { latency, rates, within } = result;
        record.adopt("latency", latency, { at });
        record.estimate("throughput", rates, { at, within });
        const cap = capOf(run, one);
        if (cap !== null) {
          record.note({
            kind: "cappedRate",
            message:
              `each client is kept to ${cap} calls/s, which limits the throughput: only the ` +
              "latency is the server's",
            maxRatePerSecond: cap,
          });
        }
        return result;
      },
    };
  }

  /** Its report, from what was recorded and derived so far. */
  report(): ScenarioReport {
    const { run, record, monitor } = this;
    const end = this.end ?? (this.hasRun ? null : NOT_RUN);
    const { scenario } = this.planned;
    const { name, question, overloads } = scenario;
    const figures = record.figures({ isInterrupted: end?.status === "interrupted" });
    const failed = figures.checks.some(({ passed }) => !passed);
    const { own, floor } = this.held;
    return {
      ...{ name, title: titleOf(scenario), question },
      status: end?.status ?? (failed ? "failed" : "passed"),
      reason: end?.reason ?? null,
      startedAt: this.#startedAt,
      durationMs: this.spentNs / 1e6,
      parameters: this.#parameters(),
      ...(overloads ? { overloads } : {}),
      ...figures,
      ...this.#share(),
      validity: validityOf({
        warnings: record.warnings,
        ledger: figures.ledger,
        clientCpu: this.#clientCpu() ?? monitor.clientCpu,
        loopLagP99Ns: monitor.loopLagP99Ns,
        floor: floorShare(own, floor),
        capped: run.settings.maxRatePerSecond !== null,
      }),
    };
  }

  /** Reasons of its report for a verdict other than "passed". */
  reasons(report: ScenarioReport): Reason[] {
    const { name: scenario, reason: message } = report;
    const failed = failedCheckReasons(report);
    if (report.status !== "failed" || message === null) return failed;
    return this.end?.unusable
      ? [{ code: EXIT.targetUnusable, kind: "targetUnusable", scenario, message }]
      : [{ code: EXIT.checkFailed, kind: "failed", scenario, message }, ...failed];
  }

  [Symbol.dispose](): void {
    this.record[Symbol.dispose]();
    this.monitor[Symbol.dispose]();
  }

  /**
   * Everything that the workload depends on, so that runs of different workloads are not compared.
   */
  #parameters(): ScenarioReport["parameters"] {
    const { settings, heavyTools, sessionWork } = this.run;
    const { scenario: { heavyCalls, worksInSessions }, parameters } = this.planned;
    return {
      payloadBytes: settings.overrides.payloadBytes ?? 0,
      ...parameters,
      ...(heavyCalls === undefined ? {} : { heavyTools: describeHeavyTools(heavyTools) }),
      ...(worksInSessions ? { workload: sessionWork.description } : {}),
      maxRatePerSecond: settings.maxRatePerSecond,
      toolArgs: settings.toolArgsJson,
    };
  }

  /** Share of a core that this thread used in its closed loops; `null`: too short to tell. */
  #clientCpu(): number | null {
    const loops = [...this.results.values()].filter((one) => isTargetLoop(one.case));
    const sum = (key: "clientCpuNs" | "elapsedNs") =>
      loops.reduce((total, one) => total + one[key], 0);
    return shareOfCore(sum("clientCpuNs"), sum("elapsedNs"));
  }

  /** The shard's share of a scenario that is split. */
  #share(): Pick<ScenarioReport, "share"> {
    const { connections: of } = this.planned.parameters;
    if (!this.isSplit || typeof of !== "number") return {};
    return { share: { connections: shareOf(of, this.place), of } };
  }
}

/** A scenario that declares cases. */
export type CaseEntry = Entry & { casePlan: CasePlan; planned: { parameters: CaseLength } };

export function hasCases(entry: Entry): entry is CaseEntry {
  return entry.casePlan !== null;
}

function measured(
  results: ReadonlyMap<string, CaseRecorder>,
  one: Case | undefined,
): CaseResult | null {
  const result = one && results.get(caseKey(one));
  return result?.isMeasured ? result : null;
}
