import type { NoDelay } from "../client/relay.ts";
import type { TargetOptions } from "../client/target.ts";
import type { SessionSpec } from "../load/session.ts";
import type { ProtocolName, RateLimit, Report, ShardPlace } from "../schema.ts";
import type { HeavyToolSpec } from "./heavy_tools.ts";
import type { JudgeOptions } from "./judge_report.ts";
import type { Overrides } from "./plan.ts";
import type { ProfileName } from "./scenario.ts";

/** How to reach the server. */
type Reach = Omit<TargetOptions, "protocol" | "clock" | "signal" | "shard" | "relay">;

/** Settings of a run, as data that can be sent to a worker. */
export interface RunSettings extends JudgeOptions, Reach {
  protocol: ProtocolName;
  /** How long to wait for a server that is still starting. Default: 0. */
  waitMs?: number;
  /** Which connections avoid Nagle's algorithm. Default: none. */
  noDelay?: NoDelay;
  /** `null`: the default of the protocol. */
  tool: string | null;
  toolArgsJson: string;
  /** Arguments added because identical calls would be served from a cache. Default: none. */
  uniqueArguments?: string;
  /** True if the probe for a cache has already been made for all workers. Default: false. */
  keepsArguments?: boolean;
  /** `null`: those of the profile. */
  scenarios: readonly string[] | null;
  profile: ProfileName;
  /** Without the warm-up; `null`: as many as the profile has. */
  epochs: number | null;
  /** Measures until every headline repeats within this many percent; `null`: fixed epochs. */
  precisionPercent: number | null;
  /** With `precisionPercent`: no epoch starts after this time. */
  maxTimeMs: number;
  overrides: Overrides;
  /** From `--heavy-tools`; `null`: no such file. */
  heavyTools: readonly HeavyToolSpec[] | null;
  /** From `--workload`; `null`: no such file. */
  workload: SessionSpec | null;
  maxRatePerSecond: number | null;
  /** Maximum of all sessions together. Default: each has only its own. */
  addressRatePerSecond?: number;
  /** The limiter that a probe for all workers found. Default: none. */
  rateLimit?: RateLimit;
  /** True to exceed the server's rate limits. Default: probes for them, and keeps to them. */
  ignoreLimits?: boolean;
  seed: number;
  /** For `{unique}`. */
  uniqueSeed: number;
  unitBaselinePerSecond: number | null;
  /** `null`: the run is not split. */
  shard: ShardPlace | null;
  /** Event loops that measure in this process. Default: 1. */
  loops?: number;
  /** Start of all shards, in unix milliseconds; `null`: when they are ready. */
  startAtMs: number | null;
  suite: Report["suite"];
  /** Without secrets. */
  command: string[];
}
