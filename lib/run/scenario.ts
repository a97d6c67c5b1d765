/**
 * What a scenario is, and what it is given to work with.
 *
 * @module
 */

import type { Added, Better, Check, ClientFloor, Interval, Scalar, ShardPlace } from "../schema.ts";
import type { Clock } from "../client/clock.ts";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";
import type { SeriesOptions } from "../stats/series.ts";
import type { DistributionRecorder } from "../stats/summary.ts";
import type { HeavyTool, HeavyTools } from "./heavy_tools.ts";
import type { RoundTimes } from "./round_times.ts";
import type { Workload } from "./workload.ts";

/** The profiles that call the light tool. */
export const LIGHT_PROFILES = ["quick", "standard", "thorough", "phase2"] as const;
/** All profiles; `phase3` is the one of heavy tools. */
export const PROFILE_NAMES = [...LIGHT_PROFILES, "phase3"] as const;
export type ProfileName = typeof PROFILE_NAMES[number];

/** What a scenario can be told. `null`: not bounded in this way. */
export interface Parameters {
  /** Measured repetitions. */
  rounds: number;
  [name: string]: number | string | boolean | null;
}

/** How a round of calls ends: after a count for each connection, or after a time; a count wins. */
export interface RoundLength {
  messages: number | null;
  durationMs: number | null;
}

/** What a scenario did: measured, or had a reason not to. */
export type ScenarioOutcome = { status: "measured" } | { status: "skipped"; reason: string };

/** What a metric is; the same for every step of a sweep. */
export type MetricSpec =
  | { kind: "distribution"; unit: "ns"; better: Better }
  | {
    kind: "scalar";
    unit: string;
    better: Better;
    /** How the values of shards make that of the whole; left out: they cannot. */
    merge?: NonNullable<Scalar["merge"]>;
  };

/** Times in nanoseconds, of which fewer are better. */
export const TIMES: MetricSpec = { kind: "distribution", unit: "ns", better: "lower" };
/** Successes a second, round by round. */
export const THROUGHPUT: MetricSpec = {
  kind: "scalar",
  unit: "msg/s",
  better: "higher",
  merge: "sum",
};

/** Which step of a sweep a metric belongs to, and whether it is kept over time. */
export interface MetricOptions {
  /** Such as `{ inFlight: 8 }`. */
  at?: Record<string, number>;
  series?: SeriesOptions;
  /** Where it is the time of a call down to some layer: what that layer adds is told with it. */
  layer?: LayerPlace;
}

/** A layer's place among others; they are metrics of the same scenario, with the same rounds. */
export interface LayerPlace extends Pick<Added, "above" | "measuredOn"> {
  /** The metric of the whole call. */
  whole: string;
}

/** What comes with a metric of one number a round. */
export interface ScalarMetricOptions extends Pick<MetricOptions, "at"> {
  /** The interval of a single value that the scenario estimated; otherwise the rounds give one. */
  ci95?: Interval | null;
}

/** One question asked of a server. */
export interface Scenario<P extends Parameters = Parameters> {
  /** In kebab-case; baselines depend on it. */
  name: string;
  /** The one sentence that its numbers answer. */
  question: string;
  /**
   * What it can record, by name; steps of a sweep, such as `latency@8`, by `latency@N`, and those of a
   * tool, such as `latency.chat`, by `latency.TOOL`.
   */
  metrics: Readonly<Record<string, MetricSpec>>;
  /** The profiles that it is part of; in others it runs where it is named. */
  profiles: readonly ProfileName[];
  /** A profile that it has none for takes those of `standard`: see {@linkcode defaultsOf}. */
  defaults: { standard: P } & Partial<Record<ProfileName, P>>;
  /** The most calls of heavy tools that it makes, where it makes any: they may cost money. */
  heavyCalls?(parameters: P, tools: readonly HeavyTool[]): number;
  /** Whether it drives the server beyond what it can do, so that failed calls are findings, not failures. */
  overloads?: boolean;
  /**
   * What its load is split by where several shards or workers run it: connections that are busy all at
   * once, or these and an arrival rate. Left out: it looks at a single point (one client, a limit, a search
   * for a rate), so that shards would measure something else; the first shard runs it alone.
   */
  sharding?: "connections" | "rate";
  /**
   * Measures. Whatever it has recorded in the context by then is in the report, also when it throws.
   *
   * @throws {TargetUnusableError} if the whole run should end
   * @throws anything else: this scenario has failed, with that as its reason
   */
  run(context: ScenarioContext<P>): Promise<ScenarioOutcome>;
}

/** A server with a token of its own. Dispose of it to stop it. */
export interface ExtraServer extends AsyncDisposable {
  readonly url: string;
  readonly token: string | null;
}

/** The bundled server, where that is the target. */
export interface BundledServer {
  /**
   * Stops it and starts it again at the same address.
   *
   * @throws {Error} if it does not come back
   */
  restart(): Promise<void>;
  /** Starts another one, which has its rate limits on. */
  startLimited(): Promise<ExtraServer>;
}

/** The parameters of a scenario in a profile. */
export function defaultsOf<P extends Parameters>(
  { defaults }: Pick<Scenario<P>, "defaults">,
  profile: ProfileName,
): P {
  return defaults[profile] ?? defaults.standard;
}

/** What a running scenario works with, and records into. */
export interface ScenarioContext<P extends Parameters = Parameters> {
  readonly parameters: P;
  readonly target: Target;
  readonly workload: Workload;
  /** `null`: another server is the target. */
  readonly bundled: BundledServer | null;
  /** The tools that may be called beside the light one, or why none may. */
  readonly heavyTools: HeavyTools;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly seed: number;
  /** Which share of the scenario this is; the parameters are those of the whole. */
  readonly place: ShardPlace;
  /** How many event loops measure in this process, and share its memory. */
  readonly loops: number;
  /** When its rounds begin. */
  readonly roundTimes: RoundTimes;
  /** At most this many calls a second on each session, in closed loops; `null`: as many as go. */
  readonly maxRatePerSecond: number | null;
  /** Where calls of the warm-up are counted. */
  readonly warmupLedger: OpenLedger;
  /** Where measured calls are counted. */
  readonly ledger: OpenLedger;
  /** Records a tested statement. */
  check(check: Check): void;
  /** Records what this run did not look at. */
  notMeasured(name: string, reason: string): void;
  /** Records what was seen where nothing was promised: a sentence, and no check. */
  note(text: string): void;
  /** Starts a metric of times; the same name gives the same recorder. */
  distribution(name: string, options?: MetricOptions): DistributionRecorder;
  /** Adds a round's value to a metric of one number a round. */
  scalar(name: string, value: number, options?: ScalarMetricOptions): void;
  /** Says why the numbers cannot be trusted. */
  invalidate(warning: string): void;
  /**
   * Watches the client while the work runs, for the validity of its numbers. `paced` work spins on its
   * thread by design, so that its share of a core says nothing.
   */
  watched<T>(work: () => Promise<T>, options?: { paced?: boolean }): Promise<T>;
  /**
   * Measures the client's floor, for the validity of a throughput. To be called once, behind the measured
   * rounds, while the target's connections are idle.
   *
   * @throws the signal's reason, if it is interrupted; a floor that cannot be told is noted as such
   */
  measureFloor(options: FloorOptions<P>): Promise<void>;
  /**
   * Measures the client's floor of one step of a sweep, as `measureFloor` does, and holds nothing against it.
   *
   * @returns `null` where it cannot be told, which is noted
   * @throws the signal's reason, if it is interrupted
   */
  floorOf(options: FloorOptions<P>): Promise<ClientFloor | null>;
  /** Tells how far it is. */
  progress(done: number, total: number): void;
}

/** What a loop of calls needs of its context, whether it runs on the target or on the client's floor. */
export type LoopContext<P extends Parameters = Parameters> = Pick<
  ScenarioContext<P>,
  "parameters" | "workload" | "clock" | "signal" | "maxRatePerSecond" | "warmupLedger" | "ledger"
>;

/** What the floor of a scenario is measured with. */
export interface FloorOptions<P extends Parameters = Parameters> {
  /** As many as the scenario keeps busy at once. */
  connections: number;
  /** The metric that is held against the floor: `throughput`, unless said otherwise. */
  metric?: string;
  /**
   * One round of the scenario's own loop, with the parameters of the context that it is given. Records
   * the time of each success, and gives the successes per second.
   */
  round: (
    context: LoopContext<P>,
    options: { connections: readonly Connection[]; latency: DistributionRecorder },
  ) => Promise<number>;
}

/** The whole run must end: the target cannot be measured. */
export class TargetUnusableError extends Error {
  override name = "TargetUnusableError";
}
