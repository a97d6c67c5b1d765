import type { Target } from "../client/target.ts";
import type { ProtocolName } from "../schema.ts";
import { createWorkload, type Workload } from "./workload.ts";

/** A tool that takes long, as it was named. */
export interface HeavyToolSpec {
  tool: string;
  /** JSON text, possibly with `{seq}` and `{unique}` in its strings. */
  argsJson: string;
  /** How long a call of it may take. */
  timeoutMs: number;
  /** How often it comes in a turn of the mix, next to the others. */
  weight: number;
  /** Its calls alone, in each round. */
  repetitions: number;
}

/** One that may be called. */
export interface HeavyTool extends HeavyToolSpec {
  /** The message of its next call; of all that a run makes, so that `{seq}` begins once. */
  message: Workload;
}

/** The tools that may be called beside the light one, or why none may. */
export type HeavyTools =
  | { status: "granted"; tools: readonly HeavyTool[]; uniqueSeed: number }
  | { status: "refused"; reason: string };

/** Those of the bundled server; each call has arguments of its own, as that server keeps results too. */
export const BUNDLED_HEAVY_TOOLS: readonly HeavyToolSpec[] = [
  { tool: "chat", argument: "prompt", weight: 3, repetitions: 2 },
  { tool: "analyze", argument: "input", weight: 1, repetitions: 1 },
  { tool: "debug", argument: "error", weight: 1, repetitions: 1 },
].map(({ argument, ...rest }) => ({
  ...rest,
  argsJson: JSON.stringify({ [argument]: `Benchmark call {unique} of ${rest.tool}` }),
  timeoutMs: 60_000,
}));

/** What decides which tools a run may call. */
export interface HeavyToolsRequest {
  /** Is the target the bundled server? */
  embedded: boolean;
  protocol: ProtocolName;
  /** Were the scenarios asked for by name, or by the profile that is all about heavy tools? */
  named: boolean;
  /** Those of `--heavy-tools`; `null`: no such file. */
  given: readonly HeavyToolSpec[] | null;
  /** For `{unique}`. */
  uniqueSeed: number;
}

/** Grants the tools: another server's only where both the scenarios and the tools were asked for. */
export function grantHeavyTools(request: HeavyToolsRequest): HeavyTools {
  const { embedded, protocol, named, given, uniqueSeed } = request;
  const refused = (reason: string) => ({ status: "refused" as const, reason });
  const only = "calls of heavy tools may cost money: on an external server they are made only ";
  if (protocol === "echo") return refused("an echo server has no tools");
  if (!embedded && given === null) {
    return refused(`${only}of the tools that --heavy-tools FILE names`);
  }
  if (!embedded && !named) {
    return refused(
      `${only}where this scenario is named with --scenarios, or with --profile phase3`,
    );
  }
  const tools = (given ?? BUNDLED_HEAVY_TOOLS).map((spec) => ({
    ...spec,
    message: createWorkload(spec.tool, { argsJson: spec.argsJson, payloadBytes: 0, uniqueSeed }),
  }));
  return { status: "granted", tools, uniqueSeed };
}

/** The tools as one parameter of a scenario, so that runs with others are not compared. */
export function describeHeavyTools(heavyTools: HeavyTools): string | null {
  if (heavyTools.status === "refused") return null;
  return heavyTools.tools.map(({ tool, argsJson, timeoutMs, weight, repetitions }) => {
    const timeout = `timeout ${timeoutMs / 1000} s`;
    return `${tool} ${argsJson} ${timeout}, weight ${weight}, repetitions ${repetitions}`;
  }).join("; ");
}

/** Should connections on which these tools are called go through the relay? */
export function areRelayed(target: Target, tools: readonly HeavyToolSpec[]): boolean {
  const bytes = tools.map(({ argsJson }) => new TextEncoder().encode(argsJson).length);
  return target.relays(Math.max(0, ...bytes));
}
