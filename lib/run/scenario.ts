/**
 * The vocabulary of the suite. A scenario asks a question about a server. A case scenario declares
 * cases, which lib/run measures in slices, and derives metrics from the results. A procedure does
 * its own work. docs/architecture.md defines slice, block, epoch and run.
 *
 * @module
 */

import type { Clock } from "../client/clock.ts";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";
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
import type { Case, Rig, Slice } from "./case.ts";
import type { CaseResult } from "./case_results.ts";
import type { HeavyTool, HeavyTools } from "./heavy_tools.ts";
import type { SessionWork } from "./session_work.ts";
import type { Workload } from "./workload.ts";

export { type Case, caseKey, ONE_CLIENT, type Rig, type Slice } from "./case.ts";
export type { CaseResult } from "./case_results.ts";

/** The profiles that call the light tool. */
export const LIGHT_PROFILES = ["quick", "standard", "thorough", "phase2"] as const;
/** All profiles. `phase3` calls heavy tools. */
export const PROFILE_NAMES = [...LIGHT_PROFILES, "phase3"] as const;
export type ProfileName = typeof PROFILE_NAMES[number];

/** The parameters of a scenario. `null`: not limited. */
export type Parameters = Record<string, number | string | boolean | null>;

/** How much of a case is measured per epoch, over all its slices. `messages` takes precedence. */
export interface CaseLength extends Parameters {
  /** Per connection. */
  messages: number | null;
  durationMs: number | null;
}

/** Defaults of a case scenario: milliseconds per case and epoch; in phase2 calls per connection. */
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

/** The declaration of a metric, for every place (`at`) where it is measured. */
export type MetricSpec =
  | { kind: "distribution"; unit: "ns"; better: Better }
  /** `merge`: how to combine the values of shards. Default: they cannot be combined. */
  | { kind: "scalar"; unit: string; better: Better; merge?: NonNullable<Scalar["merge"]> };

/** Times in nanoseconds. */
export const TIMES: MetricSpec = { kind: "distribution", unit: "ns", better: "lower" };
/** Successful calls per second. */
export const THROUGHPUT: MetricSpec = {
  ...{ kind: "scalar", unit: "msg/s", better: "higher", merge: "sum" },
};

/** Selects a metric: everywhere, or only at places that include `at`. */
export interface MetricRef {
  metric: string;
  at?: At;
  /** What a comparison judges. Default: p5 and p50 of a distribution, the value of a scalar. */
  statistics?: readonly Statistic[];
}

/** Estimated time on a fast server, in milliseconds unless noted. Default for each: 0. */
interface Taken {
  /** Slices per block, not counting those shared with an earlier scenario. */
  slices?: number;
  epochMs?: number;
  onceMs?: number;
  /** Overlaps with other work. */
  besideMs?: number;
}

/** What every scenario declares. */
export interface Described<P extends Parameters = Parameters> {
  /** In kebab-case. Baselines refer to it. */
  name: string;
  /** Default: the name in words. */
  title?: string;
  /** One sentence, answered by the metrics. */
  question: string;
  /** By name. */
  metrics: Readonly<Record<string, MetricSpec>>;
  /** The most important metric. Its interval shows how well the scenario repeats. */
  headline: MetricRef | ((parameters: P) => MetricRef);
  /** What a comparison judges. Default: nothing. */
  gates?: readonly MetricRef[];
  /** The profiles that include it. In others it runs only if it is named. */
  profiles: readonly ProfileName[];
  /** See {@linkcode defaultsOf}. */
  defaults: { standard: P } & Partial<Record<ProfileName, P>>;
  takes?(parameters: P): Taken;
  /** Maximum calls of heavy tools per epoch, which can cost money. Default: none. */
  heavyCalls?(parameters: P, tools: readonly HeavyTool[]): number;
  /** True if it overloads the server on purpose, so failed calls are findings, not failures. */
  overloads?: boolean;
  /**
   * How its load is split among shards or workers: by connections, or by connections and arrival
   * rate. Default: it is not split, and the first shard runs it alone.
   */
  sharding?: "connections" | "rate";
  /** True if its sessions follow the workload, which then counts as one of its parameters. */
  worksInSessions?: boolean;
  /** True if its thread follows a schedule, so the thread's CPU share is meaningless. */
  paced?: boolean;
  /** True if calls of some cases can be large enough to take the relay, on separate connections. */
  relaysSome?: true;
  /** True if it opens as many connections as the server allows, so no other can be open. */
  fillsServer?: true;
}

/** An addition to a check that counts, and the cause of the first failure. */
export interface Count {
  kind: string;
  name: string;
  /** Default: `wanted` if there is no `why`, else 0. */
  seen?: number;
  /** Default: 1. */
  wanted?: number;
  why?: string | null;
}

/** Records the findings of a scenario. Metrics of the warm-up epoch are dropped. */
export interface Recording {
  /** Of several checks with the same kind and name, the first that failed is kept. */
  check(check: Check): void;
  /** Adds to a check that counts over all epochs. */
  tally(count: Count): void;
  /** Records something that was not tested. */
  notMeasured(name: string, reason: string): void;
  /** Records an observation that is neither a pass nor a failure. */
  note(fact: Fact): void;
  /** Records why the numbers cannot be trusted. */
  invalidate(fact: Fact): void;
  /** Replaces the headline, if it depends on the findings. */
  setHeadline(ref: MetricRef): void;
  /** The recorder of a metric at a place: the same one for each call. */
  distribution(name: string, options?: { at?: At; series?: SeriesOptions }): TimesRecorder;
  /** Adds the value of an epoch, or when deriving that of the run. */
  scalar(name: string, value: number, options?: ScalarOptions): void;
}

/** Records times in nanoseconds. */
export type TimesRecorder = Pick<
  DistributionRecorder,
  "record" | "recordAll" | "censor" | "count" | "percentile" | "series"
>;

/** Options of a scalar. */
export interface ScalarOptions {
  at?: At;
  /** The interval, if the scenario has estimated it. Default: computed from the epochs. */
  ci95?: Interval | null;
  /** True if the value of the warm-up epoch counts too. */
  cold?: boolean;
}

/** What all scenarios of a run share. */
export interface Surroundings {
  readonly target: Target;
  readonly workload: Workload;
  /** `null`: the target is another server. */
  readonly bundled: BundledServer | null;
  /** The heavy tools that may be called, or why none may. */
  readonly heavyTools: HeavyTools;
  /** The work of a session, or why there is none. */
  readonly sessionWork: SessionWork;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Planned, without the warm-up; the minimum with `--precision`. */
  readonly epochs: number;
  /** The shard. Parameters of a scenario are those of all shards together. */
  readonly place: ShardPlace;
  /** Wakes open loops. Started on first use. */
  pacer(): Promise<Pacer>;
}

/** What a scenario works with. */
export interface ScenarioContext<P extends Parameters = Parameters>
  extends Recording, Surroundings {
  readonly parameters: P;
  readonly seed: number;
  /** Event loops that measure in this process, and share its memory. */
  readonly loops: number;
  /** The current epoch; 0 is the warm-up. */
  readonly epoch: number;
  /** Maximum calls per second of each session in closed loops; `null`: unlimited. */
  readonly maxRatePerSecond: number | null;
  /** True if the server's rate limiter dictates that maximum, not the user. */
  readonly keepsToLimit: boolean;
  /** True if only another scenario of the same epochs has a connection through the relay. */
  readonly sharesWithRelayed: boolean;
  /** True if it is named in `--scenarios`. */
  readonly isNamed: boolean;
  /** Counts calls that are not measured. */
  readonly warmupLedger: OpenLedger;
  /** Counts the calls of the epoch; the same as `warmupLedger` in the warm-up epoch. */
  readonly ledger: OpenLedger;
  /** Reports the progress of long work. */
  progress(done: number, total: number): void;
}

/** Turns the results of cases into metrics. */
export interface Derivation extends Recording {
  /** The result of a case on the target; `null`: not measured. */
  of(one: Case): CaseResult | null;
  /** The result of a case on a server that does nothing. */
  floorOf(one: Case): CaseResult | null;
  /** Records `latency` and `throughput` of a case, if it was measured. */
  calls(one: Case, at?: At): CaseResult | null;
  /** Records the times that the slices of a case have recorded. */
  adopt(name: string, recorder: DistributionRecorder, options?: { at?: At; added?: Added }): void;
  /** Records a metric with one value per epoch; `null` is ignored. */
  estimate(
    name: string,
    epochs: readonly (number | null)[],
    options?: { at?: At; within?: readonly (readonly number[])[] },
  ): void;
}

/** A plan, or why the scenario is skipped. */
export type Begun<T> = T | { skipped: string };

/** The cases of a scenario, and what to do with them. */
export interface CasePlan {
  cases: readonly Case[];
  /** Cases to measure on a server that does nothing too. The first is compared to the headline. */
  floors?: readonly Case[];
  /** Called in each epoch: opens the rig of each layer. The stack closes them. */
  openRigs?(
    options: { connection: Connection; stack: AsyncDisposableStack },
  ): Promise<ReadonlyMap<string, Rig>>;
  /** A metric for the time to open each connection, with all of them opened simultaneously. */
  establish?: string;
  /** Called after each measured slice, before its arrays are overwritten. */
  onSlice?(one: Case, slice: Slice): void;
  /** Called once, after the last epoch. */
  conclude?(): void | Promise<void>;
  /** Called repeatedly: after each epoch, and at the end. */
  derive(derivation: Derivation): void;
  /** Called once when the run ends, however it ends. */
  close?(): Promise<void>;
}

/** A scenario that declares cases and derives metrics from them. */
export interface CaseScenario<P extends Parameters = Parameters> extends Described<P & CaseLength> {
  kind: "cases";
  /** Called once, before the first epoch. */
  begin(context: ScenarioContext<P & CaseLength>): Begun<CasePlan> | Promise<Begun<CasePlan>>;
}

/** The work of a procedure. */
export interface ProcedurePlan {
  /** A wait on an idle connection. It can overlap with other work, and ends before `conclude`. */
  waiting?: { what: string; until(): Promise<void> };
  /** Called in each epoch. Return `"stop"` if nothing more can be measured, without a failure. */
  epoch?(): Promise<"stop" | void>;
  /** Called once, after the last epoch. */
  conclude?(): void | Promise<void>;
}

/** A scenario that does its own work: handshakes, limits, storms, searches, soak. */
export interface Procedure<P extends Parameters = Parameters> extends Described<P> {
  kind: "procedure";
  /** False if it is left out of the warm-up epoch. */
  warmsUp?: false;
  /** Called once, before the first epoch. */
  begin(context: ScenarioContext<P>): Begun<ProcedurePlan> | Promise<Begun<ProcedurePlan>>;
}

// deno-lint-ignore no-explicit-any
export type Scenario = CaseScenario<any> | Procedure<any>;

/** Controls the bundled server, if it is the target. */
export interface BundledServer {
  /**
   * Restarts it at the same address.
   *
   * @throws {Error} if it does not come back
   */
  restart(): Promise<void>;
}

/** The parameters of a scenario in a profile. Default: those of `standard`. */
export function defaultsOf(
  { defaults }: Pick<Scenario, "defaults">,
  profile: ProfileName,
): Parameters {
  return defaults[profile] ?? defaults.standard;
}

/** The title in reports. */
export function titleOf({ name, title }: Pick<Scenario, "name" | "title">): string {
  return title ?? name[0]!.toUpperCase() + name.slice(1).replaceAll("-", " ");
}

/** Ratio of two values in each epoch, divided by a constant; `null` if one of them is missing. */
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

/** True if the reference selects the metric. */
export function isMeant(ref: MetricRef, metric: { name: string; at?: At | undefined }): boolean {
  return ref.metric === metric.name &&
    Object.entries(ref.at ?? {}).every(([key, value]) => metric.at?.[key] === value);
}

/** Ends the whole run: the target cannot be measured. */
export class TargetUnusableError extends Error {
  override name = "TargetUnusableError";
}
