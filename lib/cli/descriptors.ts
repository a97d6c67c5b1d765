/**
 * How many connections this process has room for: each is an open file, of which a shell's `ulimit -n` allows so many.
 *
 * @module
 */

import type { NoDelay } from "../client/relay.ts";
import type { PlannedScenario } from "../run/plan.ts";
import { UsageError } from "./usage_error.ts";

/** What the runtime, the reports and a few connections beside the clients' own need. */
const RESERVE = 48;

/** What a run opens. */
export interface DescriptorNeed {
  /** The most clients at once. */
  connections: number;
  /** How many files each is in this process: both ends, where the server is in it, and a relay's. */
  each: number;
}

/**
 * How many files each client is: its connection to the server, and both ends of that to the client's floor, which is
 * measured beside it; two more for each of the two that goes through a relay.
 */
export function filesOfEach(
  { isBundled, insecure, noDelay }: { isBundled: boolean; insecure: boolean; noDelay: NoDelay },
): number {
  return 3 + (isBundled ? 1 : 0) + (insecure || noDelay === "on" ? 4 : 0);
}

/** The most clients at once that are planned, of which this process has its share. */
export function mostPlanned(planned: readonly PlannedScenario[], shards: number): number {
  const counts = planned.flatMap(({ parameters: { connections }, skip }) =>
    typeof connections === "number" && skip === undefined ? connections : []
  );
  return Math.ceil(Math.max(0, ...counts) / shards);
}

/**
 * Opens as many files as a run needs, and closes them again: the limit itself cannot be read without all permissions.
 *
 * @throws {UsageError} if there is no room, naming how many connections there is room for
 */
export function requireDescriptors(
  { connections, each }: DescriptorNeed,
  countFree: (wanted: number) => number = countFreeDescriptors,
): void {
  const wanted = connections * each + RESERVE;
  const free = countFree(wanted);
  if (free >= wanted) return;
  const room = Math.floor((free - RESERVE) / each);
  const refused = room > 0 ? `Cannot use --connections "${connections}"` : "Cannot run";
  const accepted = room > 0 ? `accepted is up to ${room}, or raise the limit` : "raise the limit";
  throw new UsageError(
    `${refused}: such a run opens about ${wanted} files at once, and this process may open ${free} ` +
      `more: ${accepted} (ulimit -n ${2 ** Math.ceil(Math.log2(wanted + 256))})`,
  );
}

/** How many more files this process may open, up to as many as are wanted. */
export function countFreeDescriptors(wanted: number): number {
  if (Deno.build.os === "windows") return wanted;
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < wanted) files.push(Deno.openSync("/dev/null"));
    return wanted;
  } catch (error) {
    // Whatever else may be wrong with /dev/null is no reason not to run.
    return (error as { code?: string }).code === "EMFILE" ? files.length : wanted;
  } finally {
    for (const file of files) file.close();
  }
}
