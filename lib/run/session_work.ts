import type { Duration, SessionSpec, Step, StepSpec } from "../load/session.ts";
import type { ShardPlace } from "../schema.ts";
import type { HeavyTools } from "./heavy_tools.ts";
import { callNumbers, createWorkload, type Workload } from "./workload.ts";

/** The work of each session, with a description for the parameters; or why there is none. */
export type SessionWork =
  | { status: "granted"; spec: SessionSpec<Step>; description: string }
  | { status: "refused"; reason: string; description: null };

/** Without a workload file: think for a second on average, forever. */
const DEFAULT_STEP = {
  think: { kind: "exponential", meanMs: 1_000 },
  timeoutMs: null,
  onError: "continue",
} as const;
const ENDLESS = { patterns: null, time: null } as const;
/** Makes `{unique}` of sessions differ from the rest of the run. */
const SEED_OF_SESSIONS = 0x5e551045;

/**
 * The work of `--workload`. Default: the light tool; in phase3 the heavy tools of the bundled
 * server, each as a pattern of one call.
 */
export function createSessionWork(
  settings: {
    workload: SessionSpec | null;
    profile: string;
    overrides: { payloadBytes: number | null };
    uniqueSeed: number;
  },
  { tool, workload, heavyTools, bundled, place }: {
    tool: string;
    workload: Workload;
    heavyTools: HeavyTools;
    bundled: object | null;
    place: ShardPlace;
  },
): SessionWork {
  const payloadBytes = settings.overrides.payloadBytes ?? 0;
  const uniqueSeed = (settings.uniqueSeed ^ SEED_OF_SESSIONS) >>> 0;
  // Shared by all steps, because calls of one tool in two steps must differ too.
  const next = callNumbers(place);
  const granted = (spec: SessionSpec, message?: Workload): SessionWork => {
    const complete = (step: StepSpec): Step => ({
      ...step,
      message: message ?? createWorkload(step.tool, { ...step, payloadBytes, uniqueSeed, next }),
    });
    const begin = spec.begin.map(complete);
    const patterns = spec.patterns.map((one) => ({ ...one, steps: one.steps.map(complete) }));
    return { status: "granted", spec: { ...spec, begin, patterns }, description: describe(spec) };
  };
  const alone = (step: StepSpec, weight: number) => ({ name: step.tool, weight, steps: [step] });
  if (settings.workload !== null) return granted(settings.workload);
  if (settings.profile !== "phase3") {
    const step = { ...DEFAULT_STEP, tool, argsJson: "{}" };
    return granted({ begin: [], patterns: [alone(step, 1)], lasts: ENDLESS }, workload);
  }
  if (bundled === null || heavyTools.status === "refused") {
    const reason = "calls of heavy tools can cost money, and sessions make as many as the server " +
      "can take: on an external server only those of --workload FILE are made";
    return { status: "refused", reason, description: null };
  }
  return granted({
    begin: [],
    lasts: ENDLESS,
    patterns: heavyTools.tools.map(({ tool, argsJson, timeoutMs, weight }) =>
      alone({ ...DEFAULT_STEP, tool, argsJson, timeoutMs }, weight)
    ),
  });
}

/** Everything on one line, as a parameter: runs with different work are not compared. */
function describe({ begin, patterns, lasts }: SessionSpec): string {
  const steps = (all: readonly StepSpec[]) =>
    all.map(({ tool, argsJson, think, timeoutMs, onError }) =>
      `${tool} ${argsJson} think ${durationText(think)}` +
      (timeoutMs === null ? "" : ` timeout ${timeoutMs / 1e3} s`) +
      (onError === "continue" ? "" : ` on error ${onError}`)
    ).join(", ");
  return [
    ...(begin.length === 0 ? [] : [`begin: ${steps(begin)}`]),
    ...patterns.map(({ weight, steps: all }) => `${weight}x: ${steps(all)}`),
    ...(lasts.patterns === null ? [] : [`${lasts.patterns} patterns`]),
    ...(lasts.time === null ? [] : [`lasts ${durationText(lasts.time)}`]),
  ].join("; ");
}

function durationText(duration: Duration): string {
  switch (duration.kind) {
    case "constant":
      return `${duration.ms / 1e3} s`;
    case "exponential":
      return `${duration.meanMs / 1e3} s (exponential)`;
    case "logNormal":
      return `${duration.medianMs / 1e3} s (log-normal, ${duration.sigma})`;
    default:
      return duration satisfies never;
  }
}
