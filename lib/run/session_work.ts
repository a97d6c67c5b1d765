import type { Duration, SessionSpec, Step, StepSpec } from "../load/session.ts";
import type { ShardPlace } from "../schema.ts";
import type { HeavyTools } from "./heavy_tools.ts";
import { callNumbers, createWorkload, type Workload } from "./workload.ts";

/** The work of each session, or why there may be none; and its description, for the parameters. */
export type SessionWork =
  | { status: "granted"; spec: SessionSpec<Step>; description: string }
  | { status: "refused"; reason: string; description: null };

/** Of a session that nobody has described: a second on average, as good as endless. */
const DEFAULT_STEP = {
  think: { kind: "exponential", meanMs: 1_000 },
  timeoutMs: null,
  onError: "continue",
} as const;
const ENDLESS = { patterns: null, time: null } as const;
/** Sets `{unique}` of sessions apart from that of the same tool elsewhere in the run. */
const SEED_OF_SESSIONS = 0x5e551045;

/**
 * The work of `--workload`; else in the profile of heavy tools those of the bundled server, each call a pattern;
 * else the light tool.
 */
export function createSessionWork(
  settings: {
    workload: SessionSpec | null;
    profile: string;
    overrides: { payloadBytes: number | null };
    uniqueSeed: number;
  },
  { tool, workload, heavyTools, embedded, place }: {
    tool: string;
    workload: Workload;
    heavyTools: HeavyTools;
    embedded: boolean;
    place: ShardPlace;
  },
): SessionWork {
  const payloadBytes = settings.overrides.payloadBytes ?? 0;
  const uniqueSeed = (settings.uniqueSeed ^ SEED_OF_SESSIONS) >>> 0;
  // One for all steps: calls of one tool in two places must differ too.
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
  if (!embedded || heavyTools.status === "refused") {
    const reason = "calls of heavy tools may cost money, and sessions make as many as the server " +
      "carries: on an external server they make only those of --workload FILE";
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

/** All of it in a line, so that runs of different work are not compared. */
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
