import type { Metric, RateLimit, Reason, RunDrift, ScenarioReport } from "../schema.ts";
import { ConnectError } from "../client/connect_error.ts";
import { readLimitOwner } from "../client/limiter_words.ts";
import { randomStream, shuffle } from "../stats/random.ts";
import { endsOf } from "../stats/trend.ts";
import { NullServerFloor } from "./client_floor.ts";
import { slowdownOfServer } from "./drift.ts";
import { Entry, hasCases } from "./entry.ts";
import { mostSessions } from "./limit_probe.ts";
import type { Progress } from "./progress.ts";
import { adviceOn } from "./rate_limit.ts";
import type { Run } from "./run.ts";
import { TargetUnusableError } from "./scenario.ts";
import { ALLOWANCE_MS, type Turn } from "./start_times.ts";
import { createUnits, type Unit } from "./units.ts";
import { UNIT_CASE } from "./unit_baseline.ts";
import { INTERRUPTED } from "./verdict.ts";
import { Waits } from "./waits.ts";

/** What a run found. */
export interface SuiteResult {
  scenarios: ScenarioReport[];
  reasons: Reason[];
  rateLimit: RateLimit | null;
  /** How the server slowed down over the run. Default: it did not. */
  drift?: RunDrift;
  /** Time of a call without a socket in each epoch, in nanoseconds. */
  unitEpochs: number[];
  /** Completed, without the warm-up. */
  epochs: number;
}

type Running = Progress & { state: "running" };
type Stage = Pick<Running, "stage" | "epoch" | "index" | "of">;

/** Callbacks around the epochs. */
export interface SuiteHooks {
  /** Called before each epoch, while nothing is connected. */
  beforeEpoch?: () => Promise<void>;
  /** Called after each measured epoch, with all results so far. */
  onEpoch?: (soFar: SuiteResult) => Promise<void>;
  /** With `--precision`: true if another epoch is needed. Default: judges the headlines. */
  needsAnother?: () => boolean;
}

/** Runs the planned scenarios, until the target proves unusable or the run is interrupted. */
export async function runSuite(run: Run, hooks: SuiteHooks = {}): Promise<SuiteResult> {
  using suite = new Suite([run], hooks);
  await suite.run();
  return suite.resultOf(run);
}

/**
 * A warm-up epoch, then epochs in which every scenario has a turn, in random order. Several runs on
 * different servers measure their cases in the same blocks; the settings of the first determine the
 * number of epochs. Dispose of it when its results have been read.
 */
export class Suite implements Disposable {
  readonly #runs: readonly Run[];
  readonly #hooks: SuiteHooks;
  readonly #stack = new DisposableStack();
  readonly #floors: NullServerFloor;
  readonly #startNs: number;
  readonly entries: readonly Entry[];
  readonly #rateLimits = new Map<Run, RateLimit>();
  #stage: Stage = { stage: "begin", epoch: 0, index: 0, of: 0 };
  #nextTurn: Turn = { order: 0, offsetMs: 0 };
  #epochs = 0;
  #isUnusable = false;
  #waits = new Waits([], () => {});
  /** Turns that need the connections of waiting scenarios. */
  #postponed: { unit: Unit; epoch: number }[] = [];

  constructor(runs: readonly Run[], hooks: SuiteHooks = {}) {
    this.#runs = runs;
    this.#hooks = hooks;
    this.#startNs = this.#run.clock.nowNs();
    this.#floors = new NullServerFloor(this.#run);
    this.entries = runs.flatMap((run) =>
      run.planned.map((planned) => this.#stack.use(new Entry(run, planned)))
    );
  }

  /** Runs everything. Never rejects because of what a server does. */
  async run(): Promise<void> {
    try {
      await this.#begin();
      const ready = this.entries.filter(({ end, isSplit }) => end === null || isSplit);
      const units = createUnits(ready, { floors: this.#floors, stack: this.#stack });
      this.#waits = new Waits(this.entries, (entry, error) => this.#endWith([entry], error));
      // Cases cannot be postponed, and a restart of the server would end the waits.
      const cannotWait = this.#hooks.beforeEpoch !== undefined ||
        this.entries.some((entry) => hasCases(entry) && fillsServer(entry));
      if (!cannotWait && !this.#isOver) await this.#waits.beginBeside(this.entries);
      // Shards first run what they share; then the first shard runs the rest.
      for (const split of this.#run.place.count > 1 ? [true, false] : [false]) {
        await this.#runEpochs(units.filter(({ members: [one] }) => one!.isSplit === split));
      }
      // An interrupt ends all waits, so this does not block.
      if (!this.#isUnusable) {
        this.#stage = { stage: "conclude", epoch: this.#epochs, index: 1, of: 1 };
        await this.#waits.end((entry, doing) =>
          this.#progress([entry], { watch: entry.record, doing })
        );
      }
      await this.#catchUp(() => true);
      await this.#conclude();
    } finally {
      await Promise.all(this.entries.map((entry) => entry.casePlan?.close?.()));
      await this.#floors[Symbol.asyncDispose]();
    }
    for (const entry of this.entries) {
      entry.derive();
      const { name, status, durationMs } = entry.report();
      const side = this.#runs.length === 1 ? "" : `${"AB"[this.#runs.indexOf(entry.run)]}: `;
      this.#run.onProgress({ state: "ended", scenario: `${side}${name}`, status, durationMs });
    }
  }

  /** Results of one of the runs so far. */
  resultOf(run: Run): SuiteResult {
    const entries = this.entries.filter((entry) => entry.run === run);
    for (const entry of entries) entry.derive();
    // With a rate limit, calls are too few to show a slowdown or to cause one.
    const slowdown = run.settings.maxRatePerSecond === null
      ? slowdownOfServer(entries.flatMap(({ course }) => course ?? []))
      : null;
    if (slowdown !== null) { for (const entry of entries) entry.derive(slowdown); }
    const scenarios = entries.map((entry) => entry.report());
    const reasons = entries.flatMap((entry, index) => entry.reasons(scenarios[index]!));
    return {
      scenarios,
      reasons: [...reasons, ...(run.signal.aborted ? [INTERRUPTED] : [])],
      rateLimit: this.#rateLimitOf(run),
      ...(slowdown === null ? {} : { drift: { ...slowdown, ...ratesOf(entries) } }),
      // Scenarios that share the case share its result.
      unitEpochs: [
        ...new Set(entries.map((entry) => entry.resultOf(UNIT_CASE))),
      ].flatMap((result) => result?.medians.flatMap((ns) => ns ?? []) ?? []),
      epochs: this.#epochs,
    };
  }

  /** The limiter that refused a call, with advice; else the one found before the run. */
  #rateLimitOf(run: Run): RateLimit | null {
    const met = this.#rateLimits.get(run);
    if (met === undefined) return run.rateLimit ?? null;
    return { ...met, ...adviceOn(run.target.observed, { sessions: mostSessions(run) }) };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  /** The run whose settings apply to all. */
  get #run(): Run {
    return this.#runs[0]!;
  }

  get #isOver(): boolean {
    return this.#run.signal.aborted || this.#isUnusable;
  }

  #progress(
    entries: readonly Entry[],
    what: Pick<Running, "watch"> & Partial<Pick<Running, "doing" | "done" | "total">>,
  ): void {
    this.#run.onProgress({
      ...{ state: "running", ...this.#stage, done: 0, total: 0 },
      epochs: this.#run.epochs,
      scenarios: [...new Set(entries.map(({ name }) => name))],
      ...what,
    });
  }

  /** Lets every scenario make its plan, for which some probe the server. */
  async #begin(): Promise<void> {
    const of = this.entries.length;
    for (const [index, entry] of this.entries.entries()) {
      const { end } = entry;
      // Other shards can run a split scenario that is skipped here, so its turns count here too.
      if ((end !== null && !entry.isSplit) || this.#isOver) continue;
      this.#stage = { stage: "begin", epoch: 0, index: index + 1, of };
      const progress = (done = 0, total = 0) =>
        this.#progress([entry], { watch: entry.record, done, total });
      progress();
      await this.#attempt([entry], () => entry.begin(progress));
      entry.end = end ?? entry.end;
    }
  }

  async #runEpochs(units: readonly Unit[]): Promise<void> {
    const { settings, epochs, signal } = this.#run;
    const entries = units.flatMap((unit): readonly Entry[] => unit.members);
    const going = () => entries.filter(({ isGoing }) => isGoing);
    for (let epoch = 0; going().length > 0 && !this.#isOver; epoch++) {
      if (epoch > epochs && !this.#needsAnother(going())) break;
      if (settings.overrides.warmupMs === 0 && epoch === 0) continue;
      // Collect garbage now, so it does not interrupt the next epoch.
      (globalThis as { gc?: () => void }).gc?.();
      await this.#hooks.beforeEpoch?.();
      await this.#runEpoch(units, epoch);
      if (this.#isOver) break;
      const hasEnded = entries.every(({ end }) => end !== null);
      if (!hasEnded) this.#epochs = Math.max(this.#epochs, epoch);
      if (epoch > 0) await this.#hooks.onEpoch?.(this.resultOf(this.#run));
    }
    if (signal.aborted) { for (const entry of going()) entry.end = INTERRUPTED_END; }
  }

  /** With `--precision`: true while a headline is not precise enough and time is left. */
  #needsAnother(going: readonly Entry[]): boolean {
    const { settings: { precisionPercent, maxTimeMs }, clock } = this.#run;
    if (precisionPercent === null) return false;
    if ((clock.nowNs() - this.#startNs) / 1e6 >= maxTimeMs) return false;
    if (this.#hooks.needsAnother) return this.#hooks.needsAnother();
    for (const entry of going) entry.derive();
    return going.some(({ record }) => !isPreciseEnough(record.headlineMetric(), precisionPercent));
  }

  async #runEpoch(units: readonly Unit[], epoch: number): Promise<void> {
    const { settings } = this.#run;
    const order = shuffle(units, randomStream(settings.seed, `epoch ${epoch}`));
    for (const [index, unit] of order.entries()) {
      this.#stage = { stage: "epoch", epoch, index: index + 1, of: order.length };
      if (unit.members.some(fillsServer) && this.#waits.areOpen) {
        this.#postponed.push({ unit, epoch });
        continue;
      }
      await this.#catchUp((one) => one === unit);
      await this.#runTurn(unit, epoch);
      if (this.#isOver) return;
    }
  }

  /** Runs postponed turns. */
  async #catchUp(isMeant: (unit: Unit) => boolean): Promise<void> {
    const due = this.#postponed.filter(({ unit }) => isMeant(unit));
    this.#postponed = this.#postponed.filter(({ unit }) => !isMeant(unit));
    for (const { unit, epoch } of due) if (!this.#isOver) await this.#runTurn(unit, epoch);
  }

  async #runTurn(unit: Unit, epoch: number): Promise<void> {
    const entries = unit.members.filter(({ isGoing }) => isGoing);
    const startMs = this.#takeTurn(unit, epoch);
    if (entries.length === 0) return;
    this.#progress(entries, { watch: unit });
    for (const entry of entries) {
      entry.record.startEpoch(epoch);
      entry.hasRun = true;
    }
    await this.#attempt(entries, async () => {
      if (await unit.epoch(epoch, startMs) !== "stop") return;
      for (const entry of entries) entry.isExhausted = true;
    });
  }

  /**
   * Returns when the turn begins; `null`: immediately. Scenarios that have ended still take turns,
   * so that all shards count the same.
   */
  #takeTurn(unit: Unit, epoch: number): () => Promise<number | null> {
    if (!unit.members[0]!.isSplit) return () => Promise.resolve(null);
    const turn = this.#nextTurn;
    const lengthMs = unit.lengthMs(epoch);
    const takenMs = lengthMs && lengthMs + ALLOWANCE_MS;
    const offsetMs = turn.offsetMs === null || takenMs === null ? null : turn.offsetMs + takenMs;
    this.#nextTurn = { order: turn.order + 1, offsetMs };
    return async () => await this.#run.startGate?.(turn) ?? null;
  }

  async #conclude(): Promise<void> {
    const of = this.entries.length;
    for (const [index, entry] of this.entries.entries()) {
      const { record } = entry;
      const plan = entry.casePlan ?? entry.procedure;
      if (entry.end !== null) continue;
      if (plan?.conclude && !this.#isOver) {
        this.#stage = { stage: "conclude", epoch: this.#epochs, index: index + 1, of };
        this.#progress([entry], { watch: record });
        record.startConclusion();
        await this.#attempt([entry], async () => await plan.conclude!());
      }
      if (this.#isOver) {
        entry.end ??= this.#run.signal.aborted ? INTERRUPTED_END : UNUSABLE_END;
      }
      entry.hasRun = true;
    }
  }

  /** Ends scenarios whose work threw. */
  #endWith(entries: readonly Entry[], error: unknown): void {
    const { signal } = this.#run;
    const said = error instanceof Error ? error.message : String(error);
    const isGone = error instanceof ConnectError && error.failure === "refused";
    const reason = isGone ? `${said}; the server answered before: see its log` : said;
    const unusable = error instanceof TargetUnusableError && !signal.aborted;
    const end = signal.aborted ? INTERRUPTED_END : { status: "failed" as const, reason, unusable };
    for (const entry of entries) entry.end = end;
    this.#isUnusable ||= unusable;
  }

  /** Does work for some scenarios, which fail if it throws anything. */
  async #attempt(entries: readonly Entry[], work: () => Promise<void>): Promise<void> {
    const { clock } = this.#run;
    const { monitor, planned } = entries[0]!;
    const startNs = clock.nowNs();
    try {
      await monitor.watch(work, { paced: planned.scenario.paced ?? false });
    } catch (error) {
      this.#endWith(entries, error);
    } finally {
      for (const { record } of entries) record.endEpoch();
      const spentNs = (clock.nowNs() - startNs) / entries.length;
      for (const entry of entries) entry.spentNs += spentNs;
    }
    for (const { run, name: scenario } of entries) {
      const limit = run.target.observed.rateLimit;
      if (limit === null || this.#rateLimits.has(run)) continue;
      const owner = readLimitOwner(limit.message);
      const found = { ...(owner === null ? {} : { owner }), ...run.rateLimit };
      this.#rateLimits.set(run, { ...found, scenario, ...limit });
    }
  }
}

/** True if the interval is within ±`percent` of the value; false if it was not measured. */
function isPreciseEnough(metric: Metric | null, percent: number): boolean {
  if (metric === null) return false;
  const [value, ci95] = metric.kind === "scalar"
    ? [metric.value, metric.ci95]
    : [metric.p50, metric.ci95.p50];
  return value !== 0 && ci95 !== null && 50 * (ci95[1] - ci95[0]) <= percent * Math.abs(value);
}

/** Calls per second at first and at the end, from the first scenario that has measured them. */
function ratesOf(entries: readonly Entry[]): Pick<RunDrift, "firstPerSecond" | "lastPerSecond"> {
  const courses = entries.map(({ first }) => first?.rates.flatMap((rate) => rate ?? []) ?? []);
  const ends = courses.flatMap((epochs) => endsOf({ epochs, better: "higher" }) ?? [])[0];
  return ends === undefined ? {} : { firstPerSecond: ends.first, lastPerSecond: ends.last };
}

const INTERRUPTED_END = { status: "interrupted", reason: "interrupted" } as const;
/** Of the scenarios that did not find it out themselves. */
const UNUSABLE_END = { status: "interrupted", reason: "the target cannot be measured" } as const;

function fillsServer({ planned: { scenario } }: Entry): boolean {
  return scenario.fillsServer ?? false;
}
