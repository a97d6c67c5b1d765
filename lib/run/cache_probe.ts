import { isFromCache } from "../client/call.ts";
import { ConnectError } from "../client/connect_error.ts";
import { openLedger } from "../client/ledger.ts";
import { Target } from "../client/target.ts";
import type { Run } from "./run.ts";
import { createWorkload, withArgument, type Workload } from "./workload.ts";

/** Names for the argument that makes calls unique; the first one that is free is used. */
const ARGUMENT_NAMES = ["n", "unique", "bench_unique"];

/**
 * Gives the calls of all runs unique arguments if a server serves identical calls from a cache, and
 * all servers accept unique arguments and then compute each call. Arguments that already differ per
 * call are kept. The probing calls are in no ledger.
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
  const identical = await Array.fromAsync(probed, (run) => probe(run, run.workload));
  if (!identical.includes("cached")) return;
  const argsJson = withArgument(toolArgsJson, `"${name}":"{unique}"`);
  // Another seed, so that no call of the run repeats one of these.
  const unique = await Array.fromAsync(
    probed,
    (run) => probe(run, workloadOf(run, argsJson, ~run.settings.uniqueSeed >>> 0)),
  );
  if (unique.some((one) => one !== "computed")) return;
  for (const run of runs) {
    run.settings = { ...run.settings, toolArgsJson: argsJson, uniqueArguments: argsJson };
    run.workload = workloadOf(run, argsJson, run.settings.uniqueSeed);
  }
  runs[0]!.onWarning(
    `the server caches repeated calls, so every call gets unique arguments: ${argsJson}`,
  );
}

function workloadOf(
  { tool, settings, place }: Run,
  argsJson: string,
  uniqueSeed: number,
): Workload {
  const payloadBytes = settings.overrides.payloadBytes ?? 0;
  return createWorkload(tool, { argsJson, payloadBytes, uniqueSeed, place });
}

/** Makes two calls simultaneously, because some caches hold only calls in flight. */
async function probe(
  { target: { options, observed }, signal }: Run,
  workload: Workload,
): Promise<"cached" | "computed" | "failed"> {
  // A separate target, so that refusals are not counted as the run's.
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
