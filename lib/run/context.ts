import type {
  Added,
  Check,
  ClientFloor,
  Ledger,
  Metric,
  NotMeasured,
  ScenarioReport,
  ShardPlace,
  Validity,
} from "../schema.ts";
import { brokenEquations, openLedger, settleLedger } from "../client/ledger.ts";
import { addedPart } from "../stats/layers.ts";
import {
  DistributionRecorder,
  type ScalarOptions,
  summariseScalar,
  type SummaryOptions,
} from "../stats/summary.ts";
import { callChecks } from "./call_checks.ts";
import { WHOLE } from "../load/share.ts";
import { countCalls, type LiveFigures, type LiveScenario, liveTimes } from "./live.ts";
import { roundNotes } from "./round_notes.ts";
import { LATE_START_MS, roundPeriodMs, RoundTimes } from "./round_times.ts";
import type { FloorGauge } from "./client_floor.ts";
import type {
  FloorOptions,
  LayerPlace,
  MetricOptions,
  MetricSpec,
  Parameters,
  ScalarMetricOptions,
  Scenario,
  ScenarioContext,
} from "./scenario.ts";
import { ValidityMonitor } from "./validity.ts";

/** Above this share of the successes, replies from a cache make the numbers invalid. */
const CACHED_SHARE_LIMIT = 0.01;

/** What a context is made from; the rest it keeps itself. */
export type ContextInput<P extends Parameters> =
  & Pick<
    ScenarioContext<P>,
    | "target"
    | "workload"
    | "bundled"
    | "heavyTools"
    | "clock"
    | "signal"
    | "seed"
    | "maxRatePerSecond"
    | "parameters"
  >
  & {
    /** Left out: the whole. */
    place?: ShardPlace;
    /** Left out: 1. */
    loops?: number;
    /** Left out: it begins when it is ready. */
    startOf?: () => Promise<number | null>;
    metrics: Scenario["metrics"];
    /** See `Scenario.overloads`. */
    overloads?: boolean;
    /** Left out: the client's floor is not measured. */
    floorGauge?: FloorGauge;
    onProgress: (done: number, total: number) => void;
  };

type Figures = Pick<
  ScenarioReport,
  | "checks"
  | "notMeasured"
  | "warmupLedger"
  | "ledger"
  | "metrics"
  | "notes"
  | "measured"
  | "validity"
>;

/** Holds what a scenario records, so that nothing is lost when it ends early. Dispose of it. */
export class RecordingContext<P extends Parameters = Parameters>
  implements ScenarioContext<P>, LiveScenario, Disposable {
  readonly parameters: P;
  readonly target: ScenarioContext["target"];
  readonly workload: ScenarioContext["workload"];
  readonly bundled: ScenarioContext["bundled"];
  readonly heavyTools: ScenarioContext["heavyTools"];
  readonly clock: ScenarioContext["clock"];
  readonly signal: AbortSignal;
  readonly seed: number;
  readonly place: ShardPlace;
  readonly loops: number;
  readonly roundTimes: RoundTimes;
  readonly maxRatePerSecond: number | null;
  readonly warmupLedger = openLedger();
  readonly ledger = openLedger();
  readonly #onProgress: (done: number, total: number) => void;
  readonly #checks: Check[] = [];
  readonly #notMeasured: NotMeasured[] = [];
  readonly #metrics: Scenario["metrics"];
  readonly #overloads: boolean;
  readonly #distributions = new Map<
    string,
    { options: SummaryOptions; recorder: DistributionRecorder; layer: LayerPlace | undefined }
  >();
  readonly #scalars = new Map<string, ScalarOptions & { rounds: number[] }>();
  readonly #notes: string[] = [];
  readonly #warnings: string[] = [];
  readonly #monitor: ValidityMonitor;
  readonly #floorGauge: FloorGauge | undefined;
  #floor: ClientFloor | null = null;
  #floorMetric = "throughput";
  readonly #startNs: number;
  #pacedWork = 0;

  constructor(input: ContextInput<P>) {
    this.parameters = input.parameters;
    this.target = input.target;
    this.workload = input.workload;
    this.bundled = input.bundled;
    this.heavyTools = input.heavyTools;
    this.clock = input.clock;
    this.signal = input.signal;
    this.seed = input.seed;
    this.place = input.place ?? WHOLE;
    this.loops = input.loops ?? 1;
    this.roundTimes = new RoundTimes({
      clock: input.clock,
      signal: input.signal,
      startOf: input.startOf ?? (() => Promise.resolve(null)),
      periodMs: roundPeriodMs(input.parameters),
    });
    this.maxRatePerSecond = input.maxRatePerSecond;
    this.#metrics = input.metrics;
    this.#overloads = input.overloads ?? false;
    this.#onProgress = input.onProgress;
    this.#monitor = new ValidityMonitor(input.clock);
    this.#floorGauge = input.floorGauge;
    this.#startNs = input.clock.nowNs();
  }

  check(check: Check): void {
    this.#checks.push(check);
  }

  notMeasured(name: string, reason: string): void {
    this.#notMeasured.push({ name, reason });
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  distribution(name: string, { at, series, layer }: MetricOptions = {}): DistributionRecorder {
    const known = this.#distributions.get(name);
    if (known !== undefined) return known.recorder;
    const { better } = this.#spec(name, "distribution");
    const recorder = new DistributionRecorder({
      ...(series === undefined ? {} : { series }),
      mergeable: this.#isShard,
    });
    const options = { better, seed: this.seed, ...(at === undefined ? {} : { at }) };
    this.#distributions.set(name, { options, recorder, layer });
    return recorder;
  }

  scalar(name: string, value: number, options: ScalarMetricOptions = {}): void {
    const known = this.#scalars.get(name);
    if (known !== undefined) return void known.rounds.push(value);
    const { unit, better, merge } = this.#spec(name, "scalar");
    const { seed } = this;
    this.#scalars.set(name, {
      ...{ name, unit, better, seed, rounds: [value] },
      ...(this.#isShard && merge !== undefined ? { merge } : {}),
      ...options,
    });
  }

  invalidate(warning: string): void {
    this.#warnings.push(warning);
  }

  async watched<T>(work: () => Promise<T>, options: { paced?: boolean } = {}): Promise<T> {
    const paced = options.paced ? 1 : 0;
    this.#pacedWork += paced;
    try {
      return await this.#monitor.watch(work, options);
    } finally {
      this.#pacedWork -= paced;
    }
  }

  get isPaced(): boolean {
    return this.#pacedWork > 0;
  }

  live(): LiveFigures {
    return {
      elapsedNs: this.clock.nowNs() - this.#startNs,
      ...countCalls([this.warmupLedger, this.ledger]),
      times: liveTimes(
        [...this.#distributions].map(([name, { recorder }]) => [name, recorder] as const),
      ),
    };
  }

  async measureFloor(options: FloorOptions<P>): Promise<void> {
    this.#floorMetric = options.metric ?? this.#floorMetric;
    this.#floor = await this.floorOf(options);
  }

  async floorOf(options: FloorOptions<P>): Promise<ClientFloor | null> {
    try {
      return await this.#floorGauge?.measure(this, options) ?? null;
    } catch (error) {
      this.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      this.notMeasured("client floor", reason);
      return null;
    }
  }

  progress(done: number, total: number): void {
    this.#onProgress(done, total);
  }

  /** Closes the account: everything recorded so far, with the checks that hold for every scenario. */
  figures(): Figures {
    const { streamComplete } = this.target.observed;
    const ledger = settleLedger(this.ledger, streamComplete);
    const warmupLedger = settleLedger(this.warmupLedger, streamComplete);
    const metrics = this.#recorded();
    return {
      checks: [
        ...this.#checks,
        ...callChecks({ ledger, warmupLedger, overloads: this.#overloads }),
        ...reconciliation(ledger, warmupLedger),
      ],
      notMeasured: [...this.#notMeasured],
      warmupLedger,
      ledger,
      metrics,
      notes: [...this.#notes, ...this.#paceNotes(metrics), ...roundNotes(metrics)],
      measured: this.roundTimes.measured,
      validity: this.#validity(ledger),
    };
  }

  [Symbol.dispose](): void {
    for (const { recorder } of this.#distributions.values()) recorder[Symbol.dispose]();
    // Whoever still watches sees nothing, rather than memory that has been given back.
    this.#distributions.clear();
    this.#monitor[Symbol.dispose]();
  }

  /** What a metric was declared as; a step of a sweep is what its sweep is, and so is one of a tool. */
  #spec<K extends MetricSpec["kind"]>(name: string, kind: K): Extract<MetricSpec, { kind: K }> {
    const spec = this.#metrics[name.replace(/@.*/, "@N")] ??
      this.#metrics[name.replace(/\..*/, ".TOOL")];
    if (spec?.kind === kind) return spec as Extract<MetricSpec, { kind: K }>;
    throw new Error(`Cannot record ${name} as the scenario declares no ${kind} of that name`);
  }

  #recorded(): Metric[] {
    const distributions = [...this.#distributions].flatMap(([name, one]) => {
      const metric = one.recorder.distribution(name, one.options);
      if (metric === null) return [];
      const added = one.layer === undefined ? null : this.#added(name, one.layer);
      return [added === null ? metric : { ...metric, added }];
    });
    return [...distributions, ...[...this.#scalars.values()].map(summariseScalar)];
  }

  /** What a layer adds to the one below, if each has rounds to tell it from. */
  #added(name: string, { above, whole, measuredOn }: LayerPlace): Added | null {
    const rounds = (of: string) => this.#distributions.get(of)?.recorder.rounds ?? [];
    const part = addedPart({
      own: rounds(name),
      below: above === null ? null : rounds(above),
      whole: rounds(whole),
    }, { seed: this.seed, name });
    return part === null ? null : { above, ...part, measuredOn };
  }

  get #isShard(): boolean {
    return this.place.count > 1;
  }

  /** A shard that begins after the others has not measured what they have. */
  #lateWarnings(): string[] {
    const offsetMs = this.roundTimes.startOffsetMs;
    return offsetMs === null || offsetMs <= LATE_START_MS
      ? []
      : [`late: it began ${offsetMs} ms after the time that all shards were to begin at`];
  }

  /** A rate that the user capped is not the server's. */
  #paceNotes(metrics: readonly Metric[]): string[] {
    const capped = this.maxRatePerSecond !== null &&
      metrics.some(({ name }) => name.startsWith("throughput"));
    return capped
      ? [
        `--max-rate ${this.maxRatePerSecond} bounds throughput and speedup: only the latency is the server's`,
      ]
      : [];
  }

  #validity(ledger: Ledger): Validity {
    const share = ledger.ok === 0 ? 0 : ledger.cached / ledger.ok;
    const warnings = [
      ...this.#warnings,
      ...this.#lateWarnings(),
      ...(share <= CACHED_SHARE_LIMIT ? [] : [
        `cached: the server served ${ledger.cached} of ${ledger.ok} successes from a cache, so ` +
        `that its cache was measured: make calls differ, as with --tool-args '{"n":"{seq}"}'`,
      ]),
    ];
    const throughput = this.#scalars.get(this.#floorMetric)?.rounds ?? [];
    return this.#monitor.validity(warnings, { floor: this.#floor, throughput });
  }
}

/** Of ledgers without an entry there is nothing to check. */
function reconciliation(...ledgers: Ledger[]): Check[] {
  if (ledgers.every(({ sent, frames }) => sent + frames.received === 0)) return [];
  const broken = ledgers.flatMap(brokenEquations);
  return [{
    name: "ledger reconciles",
    passed: broken.length === 0,
    expected: "every call and every frame accounted for once",
    observed: broken.length === 0 ? "all equations hold" : broken.join("; "),
  }];
}
