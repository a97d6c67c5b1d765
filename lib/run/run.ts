import { type Clock, systemClock } from "../client/clock.ts";
import type { Message } from "../client/connection.ts";
import { Relay } from "../client/relay.ts";
import { Target } from "../client/target.ts";
import { type Pacer, startPacer } from "../load/pacer.ts";
import { WHOLE } from "../load/share.ts";
import { PROTOCOLS } from "../protocols/mod.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { RateLimit, Report } from "../schema.ts";
import { type NullServer, startNullServer } from "../server/null_server.ts";
import { grantHeavyTools, type HeavyTools } from "./heavy_tools.ts";
import { EPOCHS, type PlannedScenario, planScenarios, planShard } from "./plan.ts";
import type { Progress } from "./progress.ts";
import type { Scenario, Surroundings } from "./scenario.ts";
import { createSessionWork } from "./session_work.ts";
import type { RunSettings } from "./settings.ts";
import type { StartGate } from "./start_times.ts";
import { createWorkload, type Workload } from "./workload.ts";

/** What a run reports while it runs, and what ends it. */
export interface RunHooks extends Pick<Surroundings, "bundled" | "signal"> {
  onWarning: (message: string) => void;
  onProgress: (progress: Progress) => void;
  /** Hears of the report so far after each epoch, marked as interrupted, so that a crash loses nothing. */
  onPartialReport: (report: Report) => Promise<void>;
  /** Says when the epochs of split scenarios begin; left out: when they are ready, or as planned. */
  startGate?: StartGate;
}

/** One run. Dispose of it. */
export interface Run extends RunHooks, Surroundings, AsyncDisposable {
  /** Its rate is set when the server's limiter has been looked for. */
  settings: RunSettings;
  /** The limiter that was found before anything was measured; left out: none. */
  rateLimit?: RateLimit;
  readonly tool: string;
  /** Its arguments are set when a cache has been looked for. */
  workload: Workload;
  readonly planned: readonly PlannedScenario[];
  /** Thrown away at the beginning of each slice: the first calls after a pause are slower. */
  readonly leadInMs: number;
  /** Starts the server that floors are measured on. */
  readonly startFloor: () => Promise<NullServer>;
}

/** Up to 1.5 times slower are the first calls after a pause or a garbage collection, for some 30 ms. */
const LEAD_IN_MS = 40;

/** With `--precision`, so many epochs there are at least. */
export const FEWEST_PRECISE_EPOCHS = 6;

/** Makes a run of its settings: the only place where they become objects. */
export function createRun(
  settings: RunSettings,
  { scenarios, ...hooks }: RunHooks & { scenarios: readonly Scenario[]; clock?: Clock },
): Run {
  const { clock = systemClock, signal, onWarning } = hooks;
  const { shard, ...reach } = settings;
  const { noDelay = "off", caCert, overrides, toolArgsJson: argsJson, uniqueSeed } = settings;
  const protocol = PROTOCOLS[settings.protocol];
  const place = shard ?? WHOLE;
  const tool = settings.tool ?? protocol.defaultTool;
  const calls = { argsJson, payloadBytes: overrides.payloadBytes ?? 0 };
  const through = noDelay === "off" ? null : new Relay({ caCert, onWarning });
  const callBytes = byteLength(protocol, createWorkload(tool, calls)());
  const target = new Target({
    ...{ ...reach, protocol, clock, signal },
    ...(place.count === 1 ? {} : { shard: place }),
    ...(through === null ? {} : { relay: { through, always: noDelay === "on", callBytes } }),
  });
  let pacer: Promise<Pacer> | null = null;
  const workload = createWorkload(tool, { ...calls, uniqueSeed, place });
  const embedded = hooks.bundled !== null;
  const heavyTools = heavyToolsOf(settings, { embedded });
  return {
    ...hooks,
    ...{ settings, target, tool, workload, heavyTools, place, clock },
    sessionWork: createSessionWork(settings, { tool, workload, heavyTools, embedded, place }),
    planned: planShard(planScenarios(scenarios, { ...settings, names: settings.scenarios }), place),
    epochs: epochsOf(settings),
    leadInMs: LEAD_IN_MS,
    startFloor: startNullServer,
    pacer: () => pacer ??= startPacer(),
    async [Symbol.asyncDispose]() {
      target[Symbol.dispose]();
      (await pacer)?.[Symbol.dispose]();
      await through?.[Symbol.asyncDispose]();
    },
  };
}

/** How long such a call is, but for its id. */
function byteLength(protocol: Protocol, { tool, argsJson }: Message): number {
  return new TextEncoder().encode(protocol.encodeCall("0", tool, argsJson)).length;
}

/** The most calls a second of each of so many clients; `null`: as many as go. */
export function rateOf(
  { settings: { maxRatePerSecond, addressRatePerSecond } }: Run,
  clients: number,
): number | null {
  if (maxRatePerSecond === null || addressRatePerSecond === undefined) return maxRatePerSecond;
  return Math.min(maxRatePerSecond, Number((addressRatePerSecond / clients).toPrecision(2)));
}

/** How many epochs there are after the warm-up; with a precision asked for, at least. */
export function epochsOf(
  { epochs, profile, precisionPercent }: Pick<
    RunSettings,
    "epochs" | "profile" | "precisionPercent"
  >,
): number {
  if (precisionPercent === null) return epochs ?? EPOCHS[profile];
  return Math.max(epochs ?? 0, FEWEST_PRECISE_EPOCHS);
}

/** The heavy tools that such a run may call. */
export function heavyToolsOf(
  settings: Pick<RunSettings, "scenarios" | "profile" | "heavyTools" | "protocol" | "uniqueSeed">,
  { embedded }: { embedded: boolean },
): HeavyTools {
  const named = settings.scenarios !== null || settings.profile === "phase3";
  return grantHeavyTools({ ...settings, embedded, named, given: settings.heavyTools });
}
