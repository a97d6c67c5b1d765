import type { Target } from "../client/target.ts";
import type { ProtocolName } from "../schema.ts";
import { createWorkload, type Workload } from "./workload.ts";

/** A slow tool, as specified by the user or by default. */
export interface HeavyToolSpec {
  tool: string;
  /** JSON text, possibly with `{seq}` and `{unique}` in its strings. */
  argsJson: string;
  timeoutMs: number;
  /** Relative frequency in a mix of tools. */
  weight: number;
  /** Calls per round when measured alone. */
  repetitions: number;
}

/** A heavy tool that the run can call. */
export interface HeavyTool extends HeavyToolSpec {
  /** Gives the message of its next call; shared by the whole run, so that `{seq}` counts on. */
  message: Workload;
}

/** The heavy tools that a run can call, or why it can call none. */
export type HeavyTools =
  | { status: "granted"; tools: readonly HeavyTool[]; uniqueSeed: number }
  | { status: "refused"; reason: string };

/** Heavy tools of the bundled server. Arguments are unique because that server caches results. */
export const BUNDLED_HEAVY_TOOLS: readonly HeavyToolSpec[] = [
  { tool: "chat", argument: "prompt", weight: 3, repetitions: 2 },
  { tool: "analyze", argument: "input", weight: 1, repetitions: 1 },
  { tool: "debug", argument: "error", weight: 1, repetitions: 1 },
].map(({ argument, ...rest }) => ({
  ...rest,
  argsJson: JSON.stringify({ [argument]: `Benchmark call {unique} of ${rest.tool}` }),
  timeoutMs: 60_000,
}));

/**
 * Grants heavy tools: on external servers only if the user asked for both scenarios and tools.
 *
 * @param options.embedded true if the target is the bundled server
 */
export function grantHeavyTools(
  { protocol, scenarios, profile, heavyTools: given, uniqueSeed }: {
    protocol: ProtocolName;
    /** `null`: those of the profile. */
    scenarios: readonly string[] | null;
    profile: string;
    /** From `--heavy-tools`; `null`: no such file. */
    heavyTools: readonly HeavyToolSpec[] | null;
    /** Seed of `{unique}`. */
    uniqueSeed: number;
  },
  { embedded }: { embedded: boolean },
): HeavyTools {
  const refused = (reason: string) => ({ status: "refused" as const, reason });
  const only = "calls of heavy tools may cost money: on an external server they are made only ";
  if (protocol === "echo") return refused("an echo server has no tools");
  if (!embedded && given === null) {
    return refused(`${only}of tools that --heavy-tools FILE names`);
  }
  if (!embedded && scenarios === null && profile !== "phase3") {
    return refused(`${only}if this scenario is named with --scenarios, or with --profile phase3`);
  }
  const tools = (given ?? BUNDLED_HEAVY_TOOLS).map((spec) => ({
    ...spec,
    message: createWorkload(spec.tool, { argsJson: spec.argsJson, payloadBytes: 0, uniqueSeed }),
  }));
  return { status: "granted", tools, uniqueSeed };
}

/** The tools as a scenario parameter, so that runs with different tools are not compared. */
export function describeHeavyTools(heavyTools: HeavyTools): string | null {
  if (heavyTools.status === "refused") return null;
  return heavyTools.tools.map(({ tool, argsJson, timeoutMs, weight, repetitions }) => {
    const timeout = `timeout ${timeoutMs / 1000} s`;
    return `${tool} ${argsJson} ${timeout}, weight ${weight}, repetitions ${repetitions}`;
  }).join("; ");
}

/** True if connections for calls of these tools should go through the relay. */
export function areRelayed(target: Target, tools: readonly HeavyToolSpec[]): boolean {
  const bytes = tools.map(({ argsJson }) => new TextEncoder().encode(argsJson).length);
  return target.relays(Math.max(0, ...bytes));
}
