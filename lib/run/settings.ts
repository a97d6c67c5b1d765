import type { NoDelay } from "../client/relay.ts";
import type { TargetOptions } from "../client/target.ts";
import type { SessionSpec } from "../load/session.ts";
import type { ProtocolName, Report, ShardPlace } from "../schema.ts";
import type { HeavyToolSpec } from "./heavy_tools.ts";
import type { JudgeOptions } from "./judge_report.ts";
import type { Overrides } from "./plan.ts";
import type { ProfileName } from "./scenario.ts";

/** How to reach the server, as data. */
type Reach = Omit<TargetOptions, "protocol" | "clock" | "signal" | "shard" | "relay">;

/** What a run is told: data that can be sent to a worker as it is. */
export interface RunSettings extends JudgeOptions, Reach {
  protocol: ProtocolName;
  /** How long to wait for a server that is still starting; left out: not at all. */
  waitMs?: number;
  /** Which connections go past Nagle's algorithm; left out: none. */
  noDelay?: NoDelay;
  /** `null`: the protocol's own. */
  tool: string | null;
  toolArgsJson: string;
  /** The arguments that calls have by themselves, as equal ones would be served from a cache; left out: none. */
  uniqueArguments?: string;
  /** Has the run as a whole looked for a cache already? Left out: no. */
  keepsArguments?: boolean;
  /** `null`: those of the profile. */
  scenarios: readonly string[] | null;
  profile: ProfileName;
  /** How often everything is repeated after the warm-up; `null`: as often as the profile says. */
  epochs: number | null;
  /** Goes on until every headline repeats within this many per cent; `null`: the epochs are fixed. */
  precisionPercent: number | null;
  /** With `precisionPercent`: ends with the epoch under way after this time. */
  maxTimeMs: number;
  overrides: Overrides;
  /** The tools of `--heavy-tools`; `null`: no such file. */
  heavyTools: readonly HeavyToolSpec[] | null;
  /** What sessions do, of `--workload`; `null`: no such file. */
  workload: SessionSpec | null;
  maxRatePerSecond: number | null;
  /** What all sessions together keep to; left out: each keeps to its own rate. */
  addressRatePerSecond?: number;
  /** Runs into the server's rate limits; left out: they are looked for, and kept to. */
  ignoreLimits?: boolean;
  seed: number;
  /** For `{unique}`. */
  uniqueSeed: number;
  unitBaselinePerSecond: number | null;
  /** Which share of the run to take; `null`: it is not split. */
  shard: ShardPlace | null;
  /** How many event loops measure in this process; left out: 1. */
  loops?: number;
  /** When all shards begin, in unix milliseconds; `null`: when they are ready. */
  startAtMs: number | null;
  suite: Report["suite"];
  /** Without anything secret in it. */
  command: string[];
}
