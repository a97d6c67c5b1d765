import type {
  Better,
  Check,
  Ledger,
  Metric,
  NotMeasured,
  ScenarioReport,
  Validity,
} from "../contract.ts";
import { brokenEquations, openLedger, settleLedger } from "../net/ledger.ts";
import { DistributionRecorder, summariseScalar } from "../stats/summary.ts";
import { callChecks } from "./call_checks.ts";
import type { Parameters, ScenarioContext } from "./scenario.ts";
import { ValidityMonitor } from "./validity.ts";

/** Above this share of the successes, replies from a cache make the numbers invalid. */
const CACHED_SHARE_LIMIT = 0.01;

/** What a context is made from; the rest it keeps itself. */
export type ContextInput<P extends Parameters> =
  & Pick<
    ScenarioContext<P>,
    "target" | "workload" | "clock" | "signal" | "seed" | "maxRatePerSecond" | "parameters"
  >
  & { onProgress: (done: number, total: number) => void };

type Figures = Pick<
  ScenarioReport,
  "checks" | "notMeasured" | "warmupLedger" | "ledger" | "metrics" | "validity"
>;

/** Holds what a scenario records, so that nothing is lost when it ends early. Dispose of it. */
export class RecordingContext<P extends Parameters = Parameters>
  implements ScenarioContext<P>, Disposable {
  readonly parameters: P;
  readonly target: ScenarioContext["target"];
  readonly workload: ScenarioContext["workload"];
  readonly clock: ScenarioContext["clock"];
  readonly signal: AbortSignal;
  readonly seed: number;
  readonly maxRatePerSecond: number | null;
  readonly warmupLedger = openLedger();
  readonly ledger = openLedger();
  readonly #onProgress: (done: number, total: number) => void;
  readonly #checks: Check[] = [];
  readonly #notMeasured: NotMeasured[] = [];
  readonly #distributions = new Map<string, { better: Better; recorder: DistributionRecorder }>();
  readonly #scalars = new Map<string, { unit: string; better: Better; rounds: number[] }>();
  readonly #monitor: ValidityMonitor;

  constructor(input: ContextInput<P>) {
    this.parameters = input.parameters;
    this.target = input.target;
    this.workload = input.workload;
    this.clock = input.clock;
    this.signal = input.signal;
    this.seed = input.seed;
    this.maxRatePerSecond = input.maxRatePerSecond;
    this.#onProgress = input.onProgress;
    this.#monitor = new ValidityMonitor(input.clock);
  }

  check(check: Check): void {
    this.#checks.push(check);
  }

  notMeasured(name: string, reason: string): void {
    this.#notMeasured.push({ name, reason });
  }

  distribution(name: string, better: Better): DistributionRecorder {
    const known = this.#distributions.get(name);
    if (known !== undefined) return known.recorder;
    const recorder = new DistributionRecorder();
    this.#distributions.set(name, { better, recorder });
    return recorder;
  }

  scalar(name: string, options: { unit: string; better: Better; value: number }): void {
    const { value, ...rest } = options;
    const known = this.#scalars.get(name);
    if (known === undefined) this.#scalars.set(name, { ...rest, rounds: [value] });
    else known.rounds.push(value);
  }

  watched<T>(work: () => Promise<T>): Promise<T> {
    return this.#monitor.watch(work);
  }

  progress(done: number, total: number): void {
    this.#onProgress(done, total);
  }

  /** Closes the account: everything recorded so far, with the checks that hold for every scenario. */
  figures(): Figures {
    const { streamComplete } = this.target.observed;
    const ledger = settleLedger(this.ledger, streamComplete);
    const warmupLedger = settleLedger(this.warmupLedger, streamComplete);
    const broken = [...brokenEquations(warmupLedger), ...brokenEquations(ledger)];
    return {
      checks: [...this.#checks, ...callChecks({ ledger, warmupLedger }), {
        name: "ledger reconciles",
        passed: broken.length === 0,
        expected: "every call and every frame accounted for once",
        observed: broken.length === 0 ? "all equations hold" : broken.join("; "),
      }],
      notMeasured: [...this.#notMeasured],
      warmupLedger,
      ledger,
      metrics: this.#metrics(),
      validity: this.#validity(ledger),
    };
  }

  [Symbol.dispose](): void {
    for (const { recorder } of this.#distributions.values()) recorder[Symbol.dispose]();
    this.#monitor[Symbol.dispose]();
  }

  #metrics(): Metric[] {
    const { seed } = this;
    const distributions = [...this.#distributions].flatMap(([name, { better, recorder }]) =>
      recorder.distribution(name, { better, seed }) ?? []
    );
    const scalars = [...this.#scalars].map(([name, scalar]) =>
      summariseScalar({ name, seed, ...scalar })
    );
    return [...distributions, ...scalars];
  }

  #validity(ledger: Ledger): Validity {
    const share = ledger.ok === 0 ? 0 : ledger.cached / ledger.ok;
    return this.#monitor.validity(
      share <= CACHED_SHARE_LIMIT ? [] : [
        `cached: the server served ${ledger.cached} of ${ledger.ok} successes from a cache, so ` +
        `that its cache was measured: make calls differ, as with --tool-args '{"n":"{seq}"}'`,
      ],
    );
  }
}
