import type { Clock } from "../client/clock.ts";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";
import type { SliceClient, SliceLength } from "../load/closed.ts";
import type { PacedRun } from "../load/judge_pace.ts";
import type { Arrivals } from "../load/schedule.ts";
import type { Pacer } from "../load/pacer.ts";
import type {
  Added,
  At,
  Better,
  Check,
  Fact,
  Interval,
  Scalar,
  ShardPlace,
  Statistic,
} from "../schema.ts";
import type { SeriesOptions } from "../stats/series.ts";
import type { DistributionRecorder } from "../stats/summary.ts";
import type { HeavyTool, HeavyTools } from "./heavy_tools.ts";
import type { SessionWork } from "./session_work.ts";
import type { Workload } from "./workload.ts";

/** The profiles that call the light tool. */
export const LIGHT_PROFILES = ["quick", "standard", "thorough", "phase2"] as const;
/** All profiles; `phase3` is the one of heavy tools. */
export const PROFILE_NAMES = [...LIGHT_PROFILES, "phase3"] as const;
export type ProfileName = typeof PROFILE_NAMES[number];

/** What a scenario can be told. `null`: not bounded in this way. */
export interface Parameters {
  [name: string]: number | string | boolean | null;
}

/** How much of a case is measured in one epoch, all its slices together; a count beats a duration. */
export interface CaseLength extends Parameters {
  /** Of each connection. */
  messages: number | null;
  durationMs: number | null;
}

/**
 * The defaults of a case scenario: how many milliseconds each case is measured in an epoch, and in phase2 how many
 * calls of each connection.
 */
export function lengths<P extends Parameters>(
  common: P,
  { quick, standard, thorough, phase2 }: Record<typeof LIGHT_PROFILES[number], number>,
): Record<typeof LIGHT_PROFILES[number], P & CaseLength> {
  const lasting = (durationMs: number) => ({ ...common, messages: null, durationMs });
  return {
    quick: lasting(quick),
    standard: lasting(standard),
    thorough: lasting(thorough),
    phase2: { ...common, messages: phase2, durationMs: null },
  };
}

/** What a metric is; the same wherever it was measured (`at`). */
export type MetricSpec =
  | { kind: "distribution"; unit: "ns"; better: Better }
  /** `merge`: how the values of shards make that of the whole; left out: they cannot. */
  | { kind: "scalar"; unit: string; better: Better; merge?: NonNullable<Scalar["merge"]> };

/** Times in nanoseconds, of which fewer are better. */
export const TIMES: MetricSpec = { kind: "distribution", unit: "ns", better: "lower" };
/** Successes a second. */
export const THROUGHPUT: MetricSpec = {
  ...{ kind: "scalar", unit: "msg/s", better: "higher", merge: "sum" },
};

/** A metric of a scenario, or that of some of its cases: those whose `at` has all that this one has. */
export interface MetricRef {
  metric: string;
  at?: At;
  /** The figures that a comparison judges; of a distribution p5 and p50 unless said otherwise. */
  statistics?: readonly Statistic[];
}

/** About how long a scenario takes, in milliseconds on a quick server; what is left out takes no time to speak of. */
export interface Taken {
  /** Of a case scenario: slices of its length in each block, those shared with an earlier scenario left out. */
  slices?: number;
  epochMs?: number;
  onceMs?: number;
  /** Beside other work. */
  besideMs?: number;
}

/** One question asked of a server. */
export interface Described<P extends Parameters = Parameters> {
  /** In kebab-case; baselines depend on it. */
  name: string;
  /** Left out: the name in words. */
  title?: string;
  /** The one sentence that its numbers answer. */
  question: string;
  /** What it can record, by name. */
  metrics: Readonly<Record<string, MetricSpec>>;
  /** The one that stands for the scenario; its interval says how well the scenario repeats. */
  headline: MetricRef | ((parameters: P) => MetricRef);
  /** What a comparison judges; left out: nothing. */
  gates?: readonly MetricRef[];
  /** The profiles that it is part of; in others it runs where it is named. */
  profiles: readonly ProfileName[];
  /** A profile that it has none for takes those of `standard`: see {@linkcode defaultsOf}. */
  defaults: { standard: P } & Partial<Record<ProfileName, P>>;
  takes?(parameters: P): Taken;
  /** The most calls of heavy tools that it makes in an epoch, where it makes any: they may cost money. */
  heavyCalls?(parameters: P, tools: readonly HeavyTool[]): number;
  /** Does it drive the server beyond what it can do, so that failed calls are findings, not failures? */
  overloads?: boolean;
  /**
   * What its load is split by among shards or workers: connections that are busy all at once, or these and an arrival
   * rate. Left out: it looks at a single point (one client, a limit), so that the first shard runs it alone.
   */
  sharding?: "connections" | "rate";
  /** Do its sessions work through the patterns of the workload, so that this is one of its parameters? */
  worksInSessions?: boolean;
  /** Has its thread a schedule to keep, so that its share of a core says nothing? */
  paced?: boolean;
  /** Are some of its cases so large that they may take the relay, on a connection of their own? */
  relaysSome?: true;
  /** Does it open as many connections as the server allows, so that none may be open beside it? */
  fillsServer?: true;
}

/** One thing to measure; two scenarios that ask for an equal case get the same slices. */
export interface Case {
  clients: number;
  /** Calls in flight on each connection. */
  inFlight: number;
  /** The size of an argument that is added to the run's calls; 0: they are sent as they are. */
  payloadBytes: number;
  /** Calls a second of all clients together, whatever comes back; `null`: a closed loop. */
  ratePerSecond: number | null;
  /** Of an open loop. */
  arrivals?: Arrivals;
  maxOutstanding?: number | null;
  /** A rate that changes, as `parseStages` reads it; `ratePerSecond` is then its peak. */
  stages?: string | null;
  /** Measured on a part of a call, by a rig that the scenario brings along. */
  layer?: string;
}

/** One client that makes one call after the other. */
export const ONE_CLIENT: Case = { clients: 1, inFlight: 1, payloadBytes: 0, ratePerSecond: null };

/** The same text for equal cases. */
export function caseKey(one: Case): string {
  const { clients, inFlight, payloadBytes, ratePerSecond, layer } = one;
  const { arrivals = "constant", maxOutstanding = null, stages = null } = one;
  const open = ratePerSecond === null ? [] : [arrivals, maxOutstanding, stages];
  return JSON.stringify([clients, inFlight, payloadBytes, ratePerSecond, ...open, layer ?? null]);
}

/** One uninterrupted measurement of a case. */
export interface Slice {
  /** Did it come to its end? Only then has it a rate. */
  complete: boolean;
  /** Did calls that follow each other end with a server that answers nothing? Left out: no. */
  silent?: boolean;
  /** Of each client: its successes in its window. An open loop has one window for all. */
  clients: readonly SliceClient[];
  /** Of the measured successes; valid until the next slice. */
  timesNs: Float64Array;
  /** Measured calls without an answer. */
  censored: number;
  /** Calls of the slice that were answered, and those of them that overtook an earlier one. */
  answered: number;
  outOfOrder: number;
  /** CPU time of this thread over the whole slice, and how long that was. */
  clientCpuNs: number;
  elapsedNs: number;
  /** What an open loop adds: see lib/load/open.ts. */
  open?: PacedRun & Record<"serviceNs" | "slipNs" | "endedNs", Float64Array>;
}

/** What measures a case in some other way than by calls on the target. */
export interface Rig {
  measure(length: SliceLength): Promise<Slice>;
}

/** What the slices of one case on one side came to. Arrays are by epoch; `null`: not measured whole. */
export interface CaseResult {
  readonly case: Case;
  /** Calls a second: of each client its successes over its windows, added up. */
  readonly rates: readonly (number | null)[];
  /** The rates of the slices. */
  readonly within: readonly (readonly number[])[];
  /** Where in the sequence of all slices these were. */
  readonly positions: readonly (readonly number[])[];
  readonly clientRates: readonly (readonly number[] | null)[];
  /** Medians in nanoseconds. */
  readonly medians: readonly (number | null)[];
  readonly latency: DistributionRecorder;
  readonly answered: number;
  readonly outOfOrder: number;
  /** Of an open loop. */
  readonly serviceTime: DistributionRecorder | null;
  readonly slip: DistributionRecorder | null;
  readonly open: readonly PacedRun[];
}

/** So many of so many, and the cause of the first failure. */
export interface Count {
  kind: string;
  name: string;
  /** Left out: all of them where there is no `why`, else none. */
  seen?: number;
  /** Left out: one. */
  wanted?: number;
  why?: string | null;
}

/** Records what a scenario has found. In the warm-up epoch nothing is kept but what fails. */
export interface Recording {
  /** Records a tested statement; of several of one kind and name the first that failed is kept. */
  check(check: Check): void;
  /** Counts towards a statement, over all epochs. */
  tally(count: Count): void;
  /** Records what this run did not look at. */
  notMeasured(name: string, reason: string): void;
  /** Records what was seen where nothing was promised. */
  note(fact: Fact): void;
  /** Says why the numbers cannot be trusted. */
  invalidate(fact: Fact): void;
  /** Names the headline, where that depends on what was found. */
  setHeadline(ref: MetricRef): void;
  /** Starts a metric of times; the same name and place give the same recorder. */
  distribution(name: string, options?: { at?: At; series?: SeriesOptions }): TimesRecorder;
  /** Adds an epoch's value to a metric of one number an epoch. */
  scalar(name: string, value: number, options?: ScalarOptions): void;
}

/** What times are recorded into. */
export type TimesRecorder = Pick<
  DistributionRecorder,
  "record" | "recordAll" | "censor" | "count" | "percentile" | "series"
>;

/** What comes with a scalar. */
export interface ScalarOptions {
  at?: At;
  /** The interval of a value that the scenario estimated; otherwise the epochs give one. */
  ci95?: Interval | null;
  /** Is it kept in the warm-up epoch too? */
  cold?: boolean;
}

/** What a run has for each of its scenarios. */
export interface Surroundings {
  readonly target: Target;
  readonly workload: Workload;
  /** `null`: another server is the target. */
  readonly bundled: BundledServer | null;
  /** The tools that may be called beside the light one, or why none may. */
  readonly heavyTools: HeavyTools;
  /** What a session does from its beginning to its end, or why there may be none. */
  readonly sessionWork: SessionWork;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Planned after the warm-up; with a precision asked for the fewest. */
  readonly epochs: number;
  /** Which share this is; a scenario's parameters are those of the whole. */
  readonly place: ShardPlace;
  /** Wakes open loops; started for the first of them. */
  pacer(): Promise<Pacer>;
}

/** What a scenario works with. */
export interface ScenarioContext<P extends Parameters = Parameters>
  extends Recording, Surroundings {
  readonly parameters: P;
  readonly seed: number;
  /** How many event loops measure in this process, and share its memory. */
  readonly loops: number;
  /** The epoch under way: 0 is the warm-up. */
  readonly epoch: number;
  /** At most this many calls a second on each session, in closed loops; `null`: as many as go. */
  readonly maxRatePerSecond: number | null;
  /** Is that the rate that the server's limiter allows, and none of the user's? */
  readonly keepsToLimit: boolean;
  /** Has another scenario a connection through the relay in the same epochs, beside those that take none? */
  readonly sharesWithRelayed: boolean;
  /** Has the user named it in `--scenarios`? */
  readonly isNamed: boolean;
  /** Where calls are counted that are not measured. */
  readonly warmupLedger: OpenLedger;
  /** Where the epoch's calls are counted: in the warm-up epoch, that of the warm-up. */
  readonly ledger: OpenLedger;
  /** Reports how far a long piece of work is. */
  progress(done: number, total: number): void;
}

/** What a case scenario derives its metrics from, and records them into. */
export interface Derivation<P extends Parameters = Parameters>
  extends
    Recording,
    Pick<ScenarioContext<P>, "parameters" | "maxRatePerSecond" | "seed" | "place"> {
  /** What a case came to on the target; `null`: it was not measured. */
  of(one: Case): CaseResult | null;
  /** The same on the server that does nothing. */
  floorOf(one: Case): CaseResult | null;
  /** Gives a metric the times that a case's slices recorded. */
  adopt(name: string, recorder: DistributionRecorder, options?: { at?: At; added?: Added }): void;
  /** A metric of one value an epoch; epochs without one are left out. */
  estimate(
    name: string,
    epochs: readonly (number | null)[],
    options?: { at?: At; within?: readonly (readonly number[])[] },
  ): void;
  /** `latency` and `throughput` of a case, if it was measured. */
  calls(one: Case, at?: At): CaseResult | null;
  /** Of one value that is not made of epochs. */
  single(name: string, value: number, options?: { at?: At; ci95?: Interval | null }): void;
}

/** A plan, or why the scenario is not run. */
export type Begun<T> = T | { skipped: string };

/** What a case scenario wants measured, and what it makes of it. */
export interface CasePlan<P extends Parameters = Parameters> {
  cases: readonly Case[];
  /** Cases that are measured on a server that does nothing, too; the first is held against the headline. */
  floors?: readonly Case[];
  /** Opens what measures the cases with a layer, in each epoch; the stack closes it. */
  openRigs?(
    options: { connection: Connection; stack: AsyncDisposableStack },
  ): Promise<ReadonlyMap<string, Rig>>;
  /** The metric of how long each connection took to open, all of them at once. */
  establish?: string;
  /** Hears of a measured slice, before its arrays are used again. */
  onSlice?(one: Case, slice: Slice): void;
  /** Work of its own, once after the last epoch. */
  conclude?(): void | Promise<void>;
  derive(derivation: Derivation<P>): void;
  /** Once, when the run is over, however it ended. */
  close?(): Promise<void>;
}

/** Data, and what follows from it. Its slices are taken by lib/run. */
export interface CaseScenario<P extends Parameters = Parameters> extends Described<P & CaseLength> {
  kind: "cases";
  /** Once, before the first epoch. */
  begin(context: ScenarioContext<P & CaseLength>): Begun<CasePlan> | Promise<Begun<CasePlan>>;
}

/** What a procedure does. */
export interface ProcedurePlan {
  /**
   * A wait for the server on an idle connection, done beside what others measure, and over before `conclude`.
   */
  waiting?: { what: string; until(): Promise<void> };
  /** Once in each epoch; `"stop"`: nothing more can be measured, and that is no failure. */
  epoch?(): Promise<"stop" | void>;
  /** Once, after the last epoch. */
  conclude?(): void | Promise<void>;
}

/** Work of its own: handshakes, limits, storms, searches, soak. */
export interface Procedure<P extends Parameters = Parameters> extends Described<P> {
  kind: "procedure";
  /** Left out: it takes part in the warm-up epoch. */
  warmsUp?: false;
  /** Once, before the first epoch. */
  begin(context: ScenarioContext<P>): Begun<ProcedurePlan> | Promise<Begun<ProcedurePlan>>;
}

// deno-lint-ignore no-explicit-any
export type Scenario = CaseScenario<any> | Procedure<any>;

/** The bundled server, where that is the target. */
export interface BundledServer {
  /**
   * Stops it and starts it again at the same address.
   *
   * @throws {Error} if it does not come back
   */
  restart(): Promise<void>;
  /** Starts another one, which has its rate limits on. Dispose of it to stop it. */
  startLimited(): Promise<
    AsyncDisposable & { readonly url: string; readonly token: string | null }
  >;
}

/** The parameters of a scenario in a profile. */
export function defaultsOf(
  { defaults }: Pick<Scenario, "defaults">,
  profile: ProfileName,
): Parameters {
  return defaults[profile] ?? defaults.standard;
}

/** What a scenario is called in reports. */
export function titleOf({ name, title }: Pick<Scenario, "name" | "title">): string {
  return title ?? name[0]!.toUpperCase() + name.slice(1).replaceAll("-", " ");
}

/** One over the other in each epoch, divided by a constant; `null` where one of them is missing. */
export function ratios(
  over: readonly (number | null)[],
  under: readonly (number | null)[],
  divisor = 1,
): (number | null)[] {
  return over.map((value, epoch) => {
    const below = under[epoch];
    return value === null || !below ? null : value / (divisor * below);
  });
}

/** The headline of a scenario with these parameters. */
export function headlineOf({ headline }: Pick<Scenario, "headline">, p: Parameters): MetricRef {
  return typeof headline === "function" ? headline(p) : headline;
}

/** Is a metric the one that is meant? */
export function isMeant(ref: MetricRef, metric: { name: string; at?: At | undefined }): boolean {
  return ref.metric === metric.name &&
    Object.entries(ref.at ?? {}).every(([key, value]) => metric.at?.[key] === value);
}

/** The whole run must end: the target cannot be measured. */
export class TargetUnusableError extends Error {
  override name = "TargetUnusableError";
}
