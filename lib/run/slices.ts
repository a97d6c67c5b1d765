import process from "node:process";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { runClosedSlice, SILENCE_LIMIT, type SliceLength } from "../load/closed.ts";
import { runOpenLoop } from "../load/open.ts";
import { createSchedule } from "../load/schedule.ts";
import { shareOf } from "../load/share.ts";
import { parseStages } from "../load/stages.ts";
import type { Case, Slice, Surroundings } from "./scenario.ts";
import { addPayload } from "./workload.ts";

/** Options of a slice. */
export interface SliceOptions
  extends Pick<Surroundings, "workload" | "place" | "clock" | "signal" | "pacer"> {
  /** At least one per client of the case, or of this shard's share. */
  connections: readonly Connection[];
  length: SliceLength;
  warmupLedger: OpenLedger;
  ledger: OpenLedger;
  maxRatePerSecond: number | null;
  timeoutMs: number;
  /** Seeds random arrivals. Different for each slice. */
  seed: number;
}

/** CPU time of this thread, in nanoseconds. */
export function threadCpuNs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) * 1e3;
}

/**
 * Measures one slice: a lead-in that counts as warm-up, then the window. Never rejects because of
 * what the server does.
 */
export async function measureSlice(one: Case, options: SliceOptions): Promise<Slice> {
  const { workload: bare, clock } = options;
  const connections = options.connections.slice(0, shareOf(one.clients, options.place));
  const workload = one.payloadBytes === 0 ? bare : addPayload(bare, one.payloadBytes);
  const startNs = clock.nowNs();
  const startCpuNs = threadCpuNs();
  const sum = (key: keyof Connection["order"]) =>
    connections.reduce((total, { order }) => total + order[key], 0);
  const [answered, outOfOrder] = [sum("answered"), sum("outOfOrder")];
  const measure = one.ratePerSecond === null ? closedSlice : openSlice;
  const slice = await measure(one, { ...options, connections, workload });
  return {
    ...slice,
    // The server can close a connection between two calls, so that none is lost.
    complete: slice.complete && connections.every(({ isOpen }) => isOpen),
    answered: sum("answered") - answered,
    outOfOrder: sum("outOfOrder") - outOfOrder,
    clientCpuNs: threadCpuNs() - startCpuNs,
    elapsedNs: clock.nowNs() - startNs,
  };
}

async function closedSlice({ inFlight }: Case, options: SliceOptions) {
  const { connections, workload: message, length, maxRatePerSecond } = options;
  const { end, timesNs, clients, censored } = await runClosedSlice(connections, {
    ...options,
    ...length,
    message,
    inFlight,
  });
  // A rate limit applies to the whole slice, not to the time between its first and last call.
  const shortestNs = (ok: number) => maxRatePerSecond === null ? 0 : ok / maxRatePerSecond * 1e9;
  return {
    complete: end === "complete",
    silent: end === "silent",
    clients: clients.map(({ ok, windowNs }) => ({
      ok,
      windowNs: Math.max(windowNs, shortestNs(ok)),
    })),
    timesNs,
    censored,
  };
}

async function openSlice(one: Case, options: SliceOptions) {
  const { connections, workload: message, length, place, timeoutMs, seed } = options;
  const ratePerSecond = one.ratePerSecond!;
  const stages = one.stages ? parseStages(one.stages) : null;
  // No lead-in before stages: it would be at a different rate.
  const leadInNs = stages === null ? length.leadInNs : 0;
  const leadInSlots = Math.ceil(ratePerSecond * leadInNs / 1e9);
  const counted = length.messages === null ? null : length.messages * one.clients;
  const schedule = createSchedule({
    ratePerSecond,
    arrivals: one.arrivals ?? "constant",
    slots: counted === null ? null : counted + leadInSlots,
    leadInSlots,
    durationMs: length.durationNs === null ? null : (length.durationNs + leadInNs) / 1e6,
    stages,
    seed,
    share: { connections: one.clients, place },
  });
  const most = one.maxOutstanding ?? Math.ceil(ratePerSecond * timeoutMs / 1000);
  const { latencyNs: timesNs, censored, ok: _, ...open } = await runOpenLoop(connections, {
    ...options,
    message,
    schedule,
    leadInNs: counted === null ? leadInNs : leadInSlots * 1e9 / ratePerSecond,
    maxOutstanding: Math.max(1, shareOf(most, place)),
    pacer: await options.pacer(),
  });
  const { end, achievedPerSecond, windowNs } = open;
  return {
    complete: end === "complete",
    clients: [{ ok: achievedPerSecond * windowNs / 1e9, windowNs }],
    timesNs,
    censored,
    open,
  };
}

/** True if a server that keeps its connections open answered nothing, or has stopped answering. */
export function isSilent(
  { silent = false, answered, censored, open }: Slice,
  connections: readonly Connection[],
): boolean {
  // An open loop that offers too much may have some timeouts.
  if (open !== undefined) return answered === 0 && censored >= SILENCE_LIMIT;
  return silent || connections.every(({ isOpen }) => isOpen) &&
      (answered === 0 || connections.some(({ timedOutInRow }) => timedOutInRow >= SILENCE_LIMIT));
}
