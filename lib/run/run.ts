import { systemClock } from "../client/clock.ts";
import { Relay } from "../client/relay.ts";
import { Target } from "../client/target.ts";
import { type Pacer, startPacer } from "../load/pacer.ts";
import { WHOLE } from "../load/share.ts";
import { PROTOCOLS } from "../protocols/mod.ts";
import type { RateLimit, Report } from "../schema.ts";
import { type NullServer, startNullServer } from "../server/null_server.ts";
import type { Case } from "./case.ts";
import { grantHeavyTools } from "./heavy_tools.ts";
import { EPOCHS, type PlannedScenario, planShard } from "./plan.ts";
import { LEAD_IN_MS } from "./planned_time.ts";
import type { Progress } from "./progress.ts";
import type { Surroundings } from "./scenario.ts";
import { createSessionWork } from "./session_work.ts";
import type { RunSettings } from "./settings.ts";
import { plannedStarts, type StartGate } from "./start_times.ts";
import { createWorkload, type Workload } from "./workload.ts";

/** What a run is made from besides its settings: its plan, callbacks, and the signal to end it. */
export interface RunHooks extends Pick<Surroundings, "bundled" | "signal"> {
  readonly planned: readonly PlannedScenario[];
  onWarning: (message: string) => void;
  onProgress: (progress: Progress) => void;
  /** Called after each epoch with the report so far, marked as interrupted, in case of a crash. */
  onPartialReport: (report: Report) => Promise<void>;
  /** Schedules the epochs of split scenarios. Default: as planned, or as soon as they are ready. */
  startGate?: StartGate;
}

/** One run. Dispose of it. */
export interface Run extends RunHooks, Surroundings, AsyncDisposable {
  /** The rate is set after the probe for a rate limiter. */
  settings: RunSettings;
  /** The limiter that the probe found. Default: none. */
  rateLimit?: RateLimit;
  readonly tool: string;
  /** The arguments are set after the probe for a cache. */
  workload: Workload;
  /** Discarded at the beginning of each slice. */
  readonly leadInMs: number;
  /** Starts the null server, which measures the client's floor. */
  readonly startFloor: () => Promise<NullServer>;
}

/** Minimum epochs with `--precision`. */
export const FEWEST_PRECISE_EPOCHS = 6;

/** Creates a run: the only place where settings become objects. */
export function createRun(settings: RunSettings, hooks: RunHooks): Run {
  const { signal, onWarning } = hooks;
  const clock = systemClock;
  const { shard, startAtMs, ...reach } = settings;
  const { noDelay = "off", caCert, overrides, toolArgsJson: argsJson, uniqueSeed } = settings;
  const protocol = PROTOCOLS[settings.protocol];
  const place = shard ?? WHOLE;
  const tool = settings.tool ?? protocol.defaultTool;
  const calls = { argsJson, payloadBytes: overrides.payloadBytes ?? 0 };
  const through = noDelay === "off" ? null : new Relay({ caCert, onWarning });
  const { argsJson: example } = createWorkload(tool, calls)();
  const callBytes = new TextEncoder().encode(protocol.encodeCall("0", tool, example)).length;
  const target = new Target({
    ...{ ...reach, protocol, clock, signal },
    ...(place.count === 1 ? {} : { shard: place }),
    ...(through === null ? {} : { relay: { through, always: noDelay === "on", callBytes } }),
  });
  let pacer: Promise<Pacer> | null = null;
  const workload = createWorkload(tool, { ...calls, uniqueSeed, place });
  const heavyTools = grantHeavyTools(settings, { embedded: hooks.bundled !== null });
  // The probe for a cache may replace the workload.
  const sessions = { ...hooks, tool, workload: () => run.workload(), heavyTools, place };
  const run: Run = {
    ...(startAtMs === null ? {} : { startGate: plannedStarts(startAtMs) }),
    ...hooks,
    ...(settings.rateLimit === undefined ? {} : { rateLimit: settings.rateLimit }),
    ...{ settings, target, tool, workload, heavyTools, place, clock },
    sessionWork: createSessionWork(settings, sessions),
    planned: planShard(hooks.planned, place),
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
  return run;
}

/** Maximum calls per second of each client of a case; `null`: unlimited, as any open loop is. */
export function capOf(
  { settings: { maxRatePerSecond, addressRatePerSecond } }: Run,
  { clients, ratePerSecond }: Case,
): number | null {
  if (ratePerSecond !== null) return null;
  if (maxRatePerSecond === null || addressRatePerSecond === undefined) return maxRatePerSecond;
  return Math.min(maxRatePerSecond, Number((addressRatePerSecond / clients).toPrecision(2)));
}

/** Epochs after the warm-up; the minimum with `--precision`. */
export function epochsOf(
  settings: Pick<RunSettings, "epochs" | "profile" | "precisionPercent">,
): number {
  const { epochs, profile, precisionPercent } = settings;
  if (precisionPercent === null) return epochs ?? EPOCHS[profile];
  return Math.max(epochs ?? 0, FEWEST_PRECISE_EPOCHS);
}
