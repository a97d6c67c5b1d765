import { type OpenLedger, openLedger, settleLedger } from "../client/ledger.ts";
import { WHOLE } from "../load/share.ts";
import type {
  Added,
  At,
  Better,
  Check,
  Fact,
  Interval,
  Measured,
  Metric,
  NotMeasured,
  Role,
  Statistic,
} from "../schema.ts";
import { DistributionRecorder, summariseScalar } from "../stats/summary.ts";
import { callChecks, reconciliation } from "./call_checks.ts";
import { countCalls, type LiveFigures, type LiveScenario, liveTimes } from "./live.ts";
import type { PlannedScenario } from "./plan.ts";
import type { Run } from "./run.ts";
import {
  type Count,
  type Derivation,
  headlineOf,
  isMeant,
  type MetricRef,
  type MetricSpec,
  type Recording,
  type Scenario,
  type TimesRecorder,
} from "./scenario.ts";

/** Counts over the measured epochs, and separately those of the warm-up. */
interface Counted extends Required<Count> {
  warmup: { seen: number; wanted: number };
}

/** A metric at a place. */
interface Named {
  name: string;
  at?: At | undefined;
}
interface Times extends Named {
  recorder: DistributionRecorder;
  added?: Added | undefined;
}
interface Numbers extends Named {
  epochs: number[];
  within?: readonly (readonly number[])[] | undefined;
  ci95?: Interval | null | undefined;
}

/** Facts are keyed by their message. */
const noFindings = () => ({
  checks: new Map<string, Check>(),
  notMeasured: new Map<string, NotMeasured>(),
  notes: new Map<string, Fact>(),
  warnings: new Map<string, Fact>(),
  times: new Map<string, Times>(),
  numbers: new Map<string, Numbers>(),
});
type Findings = ReturnType<typeof noFindings>;

/** Default gates of a distribution: the median, and the statistic that noise affects least. */
const JUDGED_TIMES: readonly Statistic[] = ["p5", "p50"];

const DISCARD: TimesRecorder = {
  record() {},
  recordAll() {},
  censor() {},
  count: 0,
  percentile: () => null,
  series: () => [],
};

/** Holds everything that a scenario records. Dispose of it. */
export class ScenarioRecord
  implements Recording, Pick<Derivation, "adopt" | "estimate">, LiveScenario, Disposable {
  readonly warmupLedger: OpenLedger = openLedger();
  readonly measuredLedger: OpenLedger = openLedger();
  readonly isPaced: boolean;
  readonly #run: Run;
  readonly #scenario: Scenario;
  readonly #mergeable: boolean;
  readonly #tallies = new Map<string, Counted>();
  readonly #found = noFindings();
  /** Findings derived from the cases, replaced each time. */
  #derived = noFindings();
  #isDeriving = false;
  #headline: MetricRef;
  readonly #measured: Measured = { plannedStartMs: null, epochs: [] };
  readonly #startNs: number;
  #epoch = 0;
  #isInEpoch = false;

  constructor(run: Run, { scenario, parameters, place = WHOLE }: PlannedScenario) {
    this.#run = run;
    this.#scenario = scenario;
    // Shards merge exactly if they keep the histogram of each epoch.
    this.#mergeable = place.count > 1;
    this.isPaced = scenario.paced ?? false;
    this.#startNs = run.clock.nowNs();
    this.#headline = headlineOf(scenario, parameters);
  }

  /** 0 during the warm-up and before it. */
  get epoch(): number {
    return this.#epoch;
  }

  get ledger(): OpenLedger {
    return this.#epoch === 0 ? this.warmupLedger : this.measuredLedger;
  }

  get warnings(): readonly Fact[] {
    return this.#all("warnings");
  }

  /** Counts everything from now on for this epoch, until it ends. */
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

  /** Records that the work of an epoch begins. `plannedMs` is the planned unix time. */
  startMeasuring(plannedMs: number | null = null): void {
    if (this.#epoch === 0) return;
    if (this.#measured.epochs.length === 0) this.#measured.plannedStartMs = plannedMs;
    const startMs = this.#run.clock.date().getTime();
    this.#measured.epochs.push({ startMs, endMs: startMs });
  }

  endMeasuring(): void {
    const last = this.#measured.epochs.at(-1);
    if (this.#epoch > 0 && last) last.endMs = this.#run.clock.date().getTime();
  }

  /** Begins measured work after the epochs. */
  startConclusion(): void {
    this.#epoch = Math.max(1, this.#epoch);
  }

  /** Runs `work` so that its findings replace those derived before. */
  derive(work: () => void): void {
    this.#derived = noFindings();
    this.#isDeriving = true;
    work();
    this.#isDeriving = false;
  }

  // Called by scenarios. Bound, because contexts copy these functions.

  readonly check: Recording["check"] = (check) => {
    const { checks } = this.#open;
    const key = keyOf(check);
    if (checks.get(key)?.passed !== false) checks.set(key, check);
  };

  readonly tally: Recording["tally"] = (
    { kind, name, why = null, wanted = 1, seen = why === null ? wanted : 0 },
  ) => {
    const key = keyOf({ kind, name });
    const counted = this.#tallies.get(key) ??
      { kind, name, seen: 0, wanted: 0, warmup: { seen: 0, wanted: 0 }, why: null };
    this.#tallies.set(key, counted);
    const counts = this.#epoch === 0 ? counted.warmup : counted;
    counts.seen += seen;
    counts.wanted += wanted;
    counted.why ??= why;
  };

  readonly notMeasured: Recording["notMeasured"] = (name, reason) => {
    const { notMeasured } = this.#open;
    if (!notMeasured.has(name)) notMeasured.set(name, { name, reason });
  };

  readonly note = (fact: Fact): void => void this.#open.notes.set(fact.message, fact);

  readonly invalidate = (fact: Fact): void => void this.#open.warnings.set(fact.message, fact);

  readonly setHeadline = (ref: MetricRef): void => void (this.#headline = ref);

  readonly distribution: Recording["distribution"] = (name, { at, series } = {}) => {
    this.#spec(name, "distribution");
    if (this.#epoch === 0) return DISCARD;
    const key = placeOf(name, at);
    const known = this.#found.times.get(key);
    if (known !== undefined) return known.recorder;
    const recorder = new DistributionRecorder({ mergeable: this.#mergeable, series });
    if (this.#isInEpoch) recorder.startEpoch();
    this.#found.times.set(key, { name, at, recorder });
    return recorder;
  };

  readonly scalar: Recording["scalar"] = (name, value, { at, ci95, cold = false } = {}) => {
    this.#spec(name, "scalar");
    if (this.#epoch === 0 && !cold && !this.#isDeriving) return;
    const key = placeOf(name, at);
    const { numbers } = this.#open;
    const known = numbers.get(key);
    if (known !== undefined) return void known.epochs.push(value);
    numbers.set(key, { name, at, epochs: [value], ci95 });
  };

  /** The caller keeps ownership of the recorder: it ends its epochs and disposes of it. */
  readonly adopt: Derivation["adopt"] = (name, recorder, { at, added } = {}) => {
    this.#spec(name, "distribution");
    this.#derived.times.set(placeOf(name, at), { name, at, recorder, added });
  };

  readonly estimate: Derivation["estimate"] = (name, epochs, { at, within } = {}) => {
    this.#spec(name, "scalar");
    const known = epochs.flatMap((value) => value ?? []);
    if (known.length === 0) return;
    const slices = within?.filter((_, index) => epochs[index] !== null);
    this.#derived.numbers.set(placeOf(name, at), { name, at, epochs: known, within: slices });
  };

  live(): LiveFigures {
    return {
      elapsedNs: this.#run.clock.nowNs() - this.#startNs,
      ...countCalls([this.warmupLedger, this.measuredLedger]),
      times: liveTimes(this.#all("times").map(({ name, recorder }) => [name, recorder])),
    };
  }

  /** The headline by epoch, as medians if it is a distribution; `null`: not measured. */
  headlineCourse(): { epochs: number[]; better: Better } | null {
    const ref = this.#headline;
    const times = this.#all("times").find((one) => isMeant(ref, one));
    const epochs = times === undefined
      ? this.#all("numbers").find((one) => isMeant(ref, one))?.epochs
      : times.recorder.epochs.flatMap(({ p50 }) => p50 ?? []);
    const { better = null } = this.#scenario.metrics[ref.metric] ?? {};
    return epochs === undefined ? null : { epochs, better };
  }

  /** The metric of the headline so far; `null`: not measured. */
  headlineMetric(): Metric | null {
    return this.#metrics((one) => isMeant(this.#headline, one))[0] ?? null;
  }

  /** Everything recorded so far, with the checks that apply to all scenarios. */
  figures({ isInterrupted }: { isInterrupted: boolean }) {
    const { streamComplete } = this.#run.target.observed;
    const ledger = settleLedger(this.measuredLedger, streamComplete);
    const warmupLedger = settleLedger(this.warmupLedger, streamComplete);
    const { overloads = false } = this.#scenario;
    const tallied = [...this.#tallies.values()].flatMap((counted) => {
      const check = checkOf(counted);
      // An interrupt leaves counts incomplete; only those with a cause have failed.
      return check.passed || !isInterrupted || counted.why !== null ? check : [];
    });
    return {
      checks: [
        ...tallied,
        ...this.#all("checks"),
        ...callChecks({ ledger, warmupLedger, overloads }),
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

  get #open(): Findings {
    return this.#isDeriving ? this.#derived : this.#found;
  }

  #all<K extends keyof Findings>(kind: K) {
    type Value = Findings[K] extends Map<string, infer V> ? V : never;
    return [...this.#found[kind].values(), ...this.#derived[kind].values()] as Value[];
  }

  /** @throws {Error} if the scenario declares no such metric */
  #spec<K extends MetricSpec["kind"]>(name: string, kind: K): Extract<MetricSpec, { kind: K }> {
    const spec = this.#scenario.metrics[name];
    if (spec?.kind === kind) return spec as Extract<MetricSpec, { kind: K }>;
    throw new Error(
      `Cannot record ${name}: ${this.#scenario.name} declares no ${kind} of that name`,
    );
  }

  #metrics(isWanted: (one: Named) => boolean): Metric[] {
    const distributions = this.#all("times").filter(isWanted).flatMap((one) => {
      const { better } = this.#spec(one.name, "distribution");
      const options = { ...this.#place(one, JUDGED_TIMES), better, seed: this.#run.settings.seed };
      const metric = one.recorder.distribution(options);
      if (metric === null) return [];
      return one.added === undefined ? metric : { ...metric, added: one.added };
    });
    const scalars = this.#all("numbers").filter(isWanted).map((one) => {
      const { unit, better, merge } = this.#spec(one.name, "scalar");
      const options = { ...one, ...this.#place(one, ["value"]), unit, better };
      return summariseScalar({ ...options, merge: this.#mergeable ? merge : undefined });
    });
    return [...distributions, ...scalars];
  }

  /** The role of a metric in the report, and the statistics that a comparison judges. */
  #place(one: Named, judged: readonly Statistic[]) {
    const gate = this.#scenario.gates?.find((ref) => isMeant(ref, one));
    const isHeadline = isMeant(this.#headline, one);
    const role: Role = isHeadline ? "headline" : gate === undefined ? "detail" : "gate";
    return { name: one.name, at: one.at, role, gates: gate && [...gate.statistics ?? judged] };
  }
}

const keyOf = ({ kind, name }: { kind: string; name: string }) => `${kind}\n${name}`;

const placeOf = (name: string, at: At = {}) => JSON.stringify([name, Object.entries(at).sort()]);

/** Passes if everything wanted was seen, in the warm-up too. */
function checkOf({ kind, name, seen, wanted, warmup, why }: Counted): Check {
  const isWarm = warmup.seen >= warmup.wanted;
  const observed = [
    `${seen} of ${wanted}`,
    ...isWarm ? [] : [`in the warm-up ${warmup.seen} of ${warmup.wanted}`],
    ...why === null ? [] : [`first failure: ${why}`],
  ].join("; ");
  const passed = seen >= wanted && isWarm;
  return { kind, name, passed, expected: `${wanted} of ${wanted}`, observed, seen, wanted };
}
