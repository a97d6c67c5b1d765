import { isFromCache } from "../client/call.ts";
import { ConnectError } from "../client/connect_error.ts";
import { openLedger } from "../client/ledger.ts";
import { Target } from "../client/target.ts";
import type { Run } from "./run.ts";
import { createWorkload, withArgument, type Workload } from "./workload.ts";

/** Names for the argument that makes a call unlike any other: the first that the user has not given. */
const ARGUMENT_NAMES = ["n", "unique", "bench_unique"];

/**
 * Gives the calls of all runs unique arguments where one of the servers serves equal calls from a cache, marked
 * or without the stream_complete that others have, and each of them takes such arguments and computes their calls.
 * Arguments that already differ by call stay as they are. None of the calls is in any ledger.
 *
 * @throws the signal's reason, if a run is interrupted
 */
export async function useUniqueArguments(runs: readonly Run[]): Promise<void> {
  const [{ settings: { toolArgsJson, keepsArguments = false } }] = runs as [Run];
  const name = ARGUMENT_NAMES.find((one) => !toolArgsJson.includes(`"${one}"`));
  if (keepsArguments || /\{(seq|unique)\}/.test(toolArgsJson) || name === undefined) return;
  const probed = runs.filter(({ bundled, target }) =>
    bundled === null && target.options.protocol.marksCached
  );
  const equal = await Array.fromAsync(probed, (run) => probe(run, run.workload));
  if (!equal.includes("cached")) return;
  const argsJson = withArgument(toolArgsJson, `"${name}":"{unique}"`);
  // Of another seed, so that none of the run's calls repeats one of these.
  const unlike = await Array.fromAsync(
    probed,
    (run) => probe(run, workloadOf(run, argsJson, ~run.settings.uniqueSeed >>> 0)),
  );
  if (unlike.some((one) => one !== "computed")) return;
  for (const run of runs) {
    run.settings = { ...run.settings, toolArgsJson: argsJson, uniqueArguments: argsJson };
    run.workload = workloadOf(run, argsJson, run.settings.uniqueSeed);
  }
  runs[0]!.onWarning(
    `the server serves repeated calls from a cache, so that every call is made with arguments of its own: ${argsJson}`,
  );
}

/** The workload of a run, with these arguments in place of its own. */
function workloadOf(
  { tool, settings, place }: Run,
  argsJson: string,
  uniqueSeed: number,
): Workload {
  const payloadBytes = settings.overrides.payloadBytes ?? 0;
  return createWorkload(tool, { argsJson, payloadBytes, uniqueSeed, place });
}

/** Two calls at once, on two connections: a cache may know results, or only the calls in flight. */
async function probe(
  { target: { options, observed }, signal }: Run,
  workload: Workload,
): Promise<"cached" | "computed" | "failed"> {
  // Of its own, so that its refusals are not those of the run.
  using target = new Target(options);
  target.observed.streamComplete = observed.streamComplete;
  try {
    await using one = await target.connect(openLedger());
    await using other = await target.connect(openLedger());
    const connections = [one, other];
    if (connections.some(({ isOpen }) => !isOpen)) return "failed";
    const calls = await Promise.all(connections.map((one) => one.call(workload())));
    signal.throwIfAborted();
    if (calls.some(({ status }) => status !== "ok")) return "failed";
    return calls.some((call) => isFromCache(call, target.observed)) ? "cached" : "computed";
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConnectError) return "failed";
    throw error;
  }
}
