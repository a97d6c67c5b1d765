/**
 * What one scenario records, over all epochs, so that nothing is lost when it ends early.
 *
 * @module
 */

import type { Clock } from "../client/clock.ts";
import { openLedger, settleLedger } from "../client/ledger.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type {
  Added,
  At,
  Check,
  Fact,
  Interval,
  Measured,
  Metric,
  NotMeasured,
  Role,
  ScenarioReport,
  Statistic,
} from "../schema.ts";
import { DistributionRecorder, summariseScalar } from "../stats/summary.ts";
import type { SeriesOptions } from "../stats/series.ts";
import { callChecks, reconciliation } from "./call_checks.ts";
import { countCalls, type LiveFigures, type LiveScenario, liveTimes } from "./live.ts";
import {
  type Count,
  type Described,
  headlineOf,
  isMeant,
  type MetricRef,
  type MetricSpec,
  type Parameters,
  type Recording,
  type ScalarOptions,
  type TimesRecorder,
} from "./scenario.ts";

/** A count over the epochs, with that of the warm-up apart. */
interface Counted {
  kind: string;
  name: string;
  seen: number;
  wanted: number;
  warmup: { seen: number; wanted: number };
  why: string | null;
}

interface Times {
  name: string;
  at: At | undefined;
  recorder: DistributionRecorder;
  added?: Added;
}

interface Numbers {
  name: string;
  at: At | undefined;
  epochs: number[];
  within: readonly (readonly number[])[] | undefined;
  ci95: Interval | null | undefined;
}

/** What has been found; that which follows from the cases is found anew each time it is asked for. */
interface Findings {
  checks: Map<string, Check>;
  notMeasured: Map<string, NotMeasured>;
  /** By their sentence. */
  notes: Map<string, Fact>;
  warnings: Map<string, Fact>;
  times: Map<string, Times>;
  numbers: Map<string, Numbers>;
}

function noFindings(): Findings {
  return {
    checks: new Map(),
    notMeasured: new Map(),
    notes: new Map(),
    warnings: new Map(),
    times: new Map(),
    numbers: new Map(),
  };
}

/** What a distribution judges unless said otherwise: the median, and what busy neighbours move least. */
const JUDGED_TIMES: readonly Statistic[] = ["p5", "p50"];
const JUDGED_SCALAR: readonly Statistic[] = ["value"];

const DISCARD: TimesRecorder = {
  record() {},
  recordAll() {},
  censor() {},
  count: 0,
  percentile: () => null,
  series: () => [],
};

/** The figures of a scenario's report that come from its record. */
export type Figures = Pick<
  ScenarioReport,
  "checks" | "notMeasured" | "warmupLedger" | "ledger" | "metrics" | "notes" | "measured"
>;

/** What a record is made from. */
export interface RecordOptions {
  described: Pick<Described, "name" | "metrics" | "headline" | "gates" | "overloads">;
  parameters: Parameters;
  clock: Clock;
  seed: number;
  /** Keeps the histogram of each epoch, so that shards merge exactly. */
  mergeable: boolean;
}

/** Holds what a scenario records. Dispose of it. */
export class ScenarioRecord implements Recording, LiveScenario, Disposable {
  readonly #options: RecordOptions;
  readonly warmupLedger: OpenLedger = openLedger();
  readonly measuredLedger: OpenLedger = openLedger();
  readonly #tallies = new Map<string, Counted>();
  readonly #found = noFindings();
  #derived = noFindings();
  #isDeriving = false;
  #headline: MetricRef;
  readonly #measured: Measured = { plannedStartMs: null, epochs: [] };
  readonly #startNs: number;
  #epoch = 0;
  #isInEpoch = false;
  isPaced = false;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#startNs = options.clock.nowNs();
    this.#headline = headlineOf(options.described, options.parameters);
  }

  /** 0: the warm-up, and what comes before it. */
  get epoch(): number {
    return this.#epoch;
  }

  get ledger(): OpenLedger {
    return this.#epoch === 0 ? this.warmupLedger : this.measuredLedger;
  }

  get warnings(): readonly Fact[] {
    return this.#all("warnings");
  }

  /** From here on everything counts for this epoch; work before the first and after the last is in none. */
  startEpoch(epoch: number): void {
    this.#epoch = epoch;
    if (epoch === 0) return;
    this.#isInEpoch = true;
    for (const { recorder } of this.#found.times.values()) recorder.startEpoch();
  }

  endEpoch(): void {
    if (!this.#isInEpoch) return;
    this.#isInEpoch = false;
    for (const { recorder } of this.#found.times.values()) recorder.endEpoch();
  }

  /** Notes when a measured epoch's work begins; `plannedMs`: when it should, in unix milliseconds. */
  startMeasuring(plannedMs: number | null = null): void {
    if (this.#epoch === 0) return;
    if (this.#measured.epochs.length === 0) this.#measured.plannedStartMs = plannedMs;
    const startMs = this.#options.clock.date().getTime();
    this.#measured.epochs.push({ startMs, endMs: startMs });
  }

  endMeasuring(): void {
    const last = this.#measured.epochs.at(-1);
    if (this.#epoch > 0 && last !== undefined) {
      last.endMs = this.#options.clock.date().getTime();
    }
  }

  /** Measured work that belongs to no epoch. */
  startConclusion(): void {
    this.#epoch = Math.max(1, this.#epoch);
  }

  /** Derives anew, in place of what was derived before. */
  derive(work: () => void): void {
    this.#derived = noFindings();
    this.#isDeriving = true;
    work();
    this.#isDeriving = false;
  }

  check(check: Check): void {
    const { checks } = this.#open;
    const key = `${check.kind}\n${check.name}`;
    if (checks.get(key)?.passed !== false) checks.set(key, check);
  }

  tally(
    { kind, name, why = null, wanted = 1, seen = why === null ? wanted : 0 }: Count,
  ): void {
    const key = `${kind}\n${name}`;
    const counted = this.#tallies.get(key) ??
      { kind, name, seen: 0, wanted: 0, warmup: { seen: 0, wanted: 0 }, why: null };
    this.#tallies.set(key, counted);
    const counts = this.#epoch === 0 ? counted.warmup : counted;
    counts.seen += seen;
    counts.wanted += wanted;
    counted.why ??= why;
  }

  notMeasured(name: string, reason: string): void {
    const { notMeasured } = this.#open;
    if (!notMeasured.has(name)) notMeasured.set(name, { name, reason });
  }

  note(fact: Fact): void {
    this.#open.notes.set(fact.message, fact);
  }

  invalidate(fact: Fact): void {
    this.#open.warnings.set(fact.message, fact);
  }

  setHeadline(ref: MetricRef): void {
    this.#headline = ref;
  }

  distribution(
    name: string,
    { at, series }: { at?: At; series?: SeriesOptions } = {},
  ): TimesRecorder {
    this.#spec(name, "distribution");
    if (this.#epoch === 0) return DISCARD;
    const key = keyOf(name, at);
    const known = this.#found.times.get(key);
    if (known !== undefined) return known.recorder;
    const { mergeable } = this.#options;
    const recorder = new DistributionRecorder({
      mergeable,
      ...(series === undefined ? {} : { series }),
    });
    if (this.#isInEpoch) recorder.startEpoch();
    this.#found.times.set(key, { name, at, recorder });
    return recorder;
  }

  scalar(name: string, value: number, { at, ci95, cold = false }: ScalarOptions = {}): void {
    this.#spec(name, "scalar");
    if (this.#epoch === 0 && !cold) return;
    const key = keyOf(name, at);
    const { numbers } = this.#open;
    const known = numbers.get(key);
    if (known !== undefined) return void known.epochs.push(value);
    numbers.set(key, { name, at, epochs: [value], within: undefined, ci95 });
  }

  /** Gives a metric a recorder that is another's, which ends its epochs and frees it. */
  adopt(
    name: string,
    recorder: DistributionRecorder,
    { at, added }: { at?: At; added?: Added } = {},
  ): void {
    this.#spec(name, "distribution");
    const times: Times = { name, at, recorder };
    if (added !== undefined) times.added = added;
    this.#derived.times.set(keyOf(name, at), times);
  }

  /** See {@linkcode Derivation.estimate}. */
  estimate(
    name: string,
    epochs: readonly (number | null)[],
    { at, within }: { at?: At; within?: readonly (readonly number[])[] } = {},
  ): void {
    this.#spec(name, "scalar");
    const known = epochs.flatMap((value) => value === null ? [] : [value]);
    if (known.length === 0) return;
    const slices = within?.filter((_, index) => epochs[index] !== null);
    this.#derived.numbers.set(keyOf(name, at), {
      name,
      at,
      epochs: known,
      within: slices,
      ci95: undefined,
    });
  }

  /** What it has come to so far, for someone who watches. */
  live(): LiveFigures {
    return {
      elapsedNs: this.#options.clock.nowNs() - this.#startNs,
      ...countCalls([this.warmupLedger, this.measuredLedger]),
      times: liveTimes(this.#all("times").map(({ name, recorder }) => [name, recorder])),
    };
  }

  /** The values of the headline's epochs, a distribution's medians, in their order. */
  headlineEpochs(): number[] {
    const ref = this.#headline;
    const times = this.#all("times").find((one) => isMeant(ref, one));
    if (times !== undefined) {
      return times.recorder.epochs.flatMap(({ p50 }) => p50 === null ? [] : [p50]);
    }
    return this.#all("numbers").find((one) => isMeant(ref, one))?.epochs ?? [];
  }

  /** The metric of the headline as it stands, `null` where it has not been measured. */
  headlineMetric(): Metric | null {
    const ref = this.#headline;
    return this.#metrics((one) => isMeant(ref, one))[0] ?? null;
  }

  /** Closes the account: everything recorded so far, with the checks that hold for every scenario. */
  figures(
    { serverStreams, interrupted }: { serverStreams: boolean; interrupted: boolean },
  ): Figures {
    const ledger = settleLedger(this.measuredLedger, serverStreams);
    const warmupLedger = settleLedger(this.warmupLedger, serverStreams);
    return {
      checks: [
        ...[...this.#tallies.values()].map(checkOf)
          // What an interrupt has left out is no failure; what had failed before has a cause.
          .filter(({ name, kind, passed }) =>
            passed || !interrupted || this.#tallies.get(`${kind}\n${name}`)!.why !== null
          ),
        ...this.#all("checks"),
        ...callChecks({
          ledger,
          warmupLedger,
          overloads: this.#options.described.overloads ?? false,
        }),
        ...reconciliation(ledger, warmupLedger),
      ],
      notMeasured: this.#all("notMeasured"),
      warmupLedger,
      ledger,
      metrics: this.#metrics(() => true),
      notes: this.#all("notes"),
      measured: structuredClone(this.#measured),
    };
  }

  [Symbol.dispose](): void {
    for (const { recorder } of this.#found.times.values()) recorder[Symbol.dispose]();
    this.#found.times.clear();
    this.#derived = noFindings();
  }

  /** Where findings go now. */
  get #open(): Findings {
    return this.#isDeriving ? this.#derived : this.#found;
  }

  #all<K extends keyof Findings>(
    kind: K,
  ): (Findings[K] extends Map<string, infer V> ? V : never)[] {
    const values = [...this.#found[kind].values(), ...this.#derived[kind].values()];
    return values as (Findings[K] extends Map<string, infer V> ? V : never)[];
  }

  /** What a metric was declared as. */
  #spec<K extends MetricSpec["kind"]>(name: string, kind: K): Extract<MetricSpec, { kind: K }> {
    const spec = this.#options.described.metrics[name];
    if (spec?.kind === kind) return spec as Extract<MetricSpec, { kind: K }>;
    throw new Error(
      `Cannot record ${name} as ${this.#options.described.name} declares no ${kind} of that name`,
    );
  }

  #metrics(wanted: (one: { name: string; at: At | undefined }) => boolean): Metric[] {
    const { seed, mergeable } = this.#options;
    const distributions = this.#all("times").filter(wanted).flatMap((one) => {
      const { better } = this.#spec(one.name, "distribution");
      const metric = one.recorder.distribution({
        name: one.name,
        better,
        seed,
        ...this.#place(one, JUDGED_TIMES),
      });
      if (metric === null) return [];
      return [one.added === undefined ? metric : { ...metric, added: one.added }];
    });
    const scalars = this.#all("numbers").filter(wanted).map((one) => {
      const { unit, better, merge } = this.#spec(one.name, "scalar");
      return summariseScalar({
        name: one.name,
        unit,
        better,
        epochs: one.epochs,
        ...this.#place(one, JUDGED_SCALAR),
        ...(one.within === undefined ? {} : { within: one.within }),
        ...(one.ci95 === undefined ? {} : { ci95: one.ci95 }),
        ...(mergeable && merge !== undefined ? { merge } : {}),
      });
    });
    return [...distributions, ...scalars];
  }

  /** Its part in the report: headline, gate or detail, and what is judged of it. */
  #place(
    metric: { name: string; at: At | undefined },
    judged: readonly Statistic[],
  ): { role: Role; at?: At; gates?: Statistic[] } {
    const { described } = this.#options;
    const gate: MetricRef | undefined = described.gates?.find((ref) => isMeant(ref, metric));
    const role = isMeant(this.#headline, metric)
      ? "headline"
      : gate === undefined
      ? "detail"
      : "gate";
    return {
      role,
      ...(metric.at === undefined ? {} : { at: metric.at }),
      ...(gate === undefined ? {} : { gates: [...gate.statistics ?? judged] }),
    };
  }
}

function keyOf(name: string, at: At | undefined): string {
  return JSON.stringify([name, Object.entries(at ?? {}).sort(([a], [b]) => a < b ? -1 : 1)]);
}

/** A count as a statement: all of it must have been seen, in the warm-up too. */
function checkOf({ kind, name, seen, wanted, warmup, why }: Counted): Check {
  const isWarm = warmup.seen >= warmup.wanted;
  const observed = [
    `${seen} of ${wanted}`,
    ...(isWarm ? [] : [`in the warm-up ${warmup.seen} of ${warmup.wanted}`]),
    ...(why === null ? [] : [`first failure: ${why}`]),
  ];
  return {
    kind,
    name,
    passed: seen >= wanted && isWarm,
    expected: `${wanted} of ${wanted}`,
    observed: observed.join("; "),
    seen,
    wanted,
  };
}
