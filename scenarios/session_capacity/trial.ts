import { wait } from "../../lib/load/pace.ts";
import type { Trial } from "../../lib/load/rate_search.ts";
import { meanThinkMs, type SessionSpec, type Step } from "../../lib/load/session.ts";
import { randomStream } from "../../lib/stats/random.ts";
import { type SessionContext, type SessionMiss, SessionsSeen } from "./sessions_seen.ts";

/** Sessions come within this time, or at 200 a second where they are many. */
const ARRIVALS_MS = 500;
const ARRIVAL_MS = 5;
/** Counts as warm-up, or twice as long as a session thinks; and how often it thinks in a trial at least. */
const LEAD_IN_MS = 200;
const LEAD_IN_THINKS = 2;
const FEWEST_THINKS = 3;

/** No hiccup makes so many calls miss the objective; of fewer than that one may. */
const CLEAR_SHARE = 0.2;
const FEWEST_CALLS = 50;
const isClear = (miss: SessionMiss) =>
  miss.kind === "refused" || (miss.kind === "latency" && miss.calls >= FEWEST_CALLS &&
    miss.over > miss.calls * CLEAR_SHARE);

/** One run with so many sessions, which a search calls its rate. */
export interface SessionTrial extends Trial {
  misses: SessionMiss[];
  callsPerSecond: number;
  /** Of one session, for as long as it is there: both directions. */
  bytesPerSecond: number;
  framesPerSecond: number;
  unfilled: Step | null;
}

/**
 * Lets so many sessions come as a Poisson process (given their number, the times are uniform), and holds their
 * number while it measures. With the first refusal it is over.
 *
 * @throws the signal's reason, if it is aborted
 */
export async function runSessionTrial(
  context: SessionContext,
  { spec, sessions, confirms, seed }: {
    spec: SessionSpec<Step>;
    sessions: number;
    confirms: boolean;
    seed: number;
  },
): Promise<SessionTrial> {
  const { clock, signal, ledger, parameters: { sloMs, durationMs, confirmMs } } = context;
  let [startNs, endNs, ok] = [Infinity, Infinity, 0];
  const seen = new SessionsSeen(context, {
    spec,
    seed,
    onCall: ({ status, endedNs }) => {
      if (status === "ok" && endedNs <= endNs) ok++;
    },
  });
  const thinkMs = meanThinkMs(spec);
  const isGoing = () => seen.refusal === null && !signal.aborted;
  const random = randomStream(seed, "session arrivals");
  const spanMs = Math.max(ARRIVALS_MS, sessions * ARRIVAL_MS);
  const arrivals = Array.from({ length: sessions }, () => random() * spanMs).sort((a, b) => a - b);
  const begunNs = clock.nowNs();
  try {
    for (const dueMs of arrivals) {
      await wait(Math.max(0, dueMs - (clock.nowNs() - begunNs) / 1e6), context);
      if (!isGoing()) break;
      seen.crowd.want(seen.crowd.wanted + 1);
    }
    if (isGoing()) await wait(Math.max(LEAD_IN_MS, LEAD_IN_THINKS * thinkMs), context);
    if (isGoing()) {
      seen.crowd.useLedger(ledger);
      seen.isMeasuring = true;
      startNs = clock.nowNs();
      await wait(Math.max(confirms ? confirmMs : durationMs, FEWEST_THINKS * thinkMs), context);
      endNs = clock.nowNs();
      seen.isMeasuring = false;
    }
  } finally {
    await seen.crowd.leave();
  }
  signal.throwIfAborted();
  const at = { sessions };
  const seconds = Math.max(1e-9, (endNs - startNs) / 1e9);
  const callsPerSecond = Number.isFinite(endNs) ? ok / seconds : 0;
  const latency = context.distribution("latency", { at });
  latency.recordAll(Float64Array.from(seen.latencyNs));
  latency.censor(seen.unanswered, context.target.options.timeoutMs * 1e6);
  context.distribution("establish", { at }).recordAll(Float64Array.from(seen.establishNs));
  // One that was given up before its calls were measured says nothing of their rate.
  if (Number.isFinite(endNs)) context.scalar("throughput", callsPerSecond, { at });
  const judgement = seen.judge(sloMs * 1e6);
  return {
    ...{ ...judgement, confirms, callsPerSecond, unfilled: seen.unfilled },
    ratePerSecond: sessions,
    offeredPerSecond: sessions,
    achievedPerSecond: seen.refusal === null ? sessions : seen.held,
    answered: seen.latencyNs.length,
    isCapped: seen.refusal !== null,
    isClear: judgement.misses.some(isClear),
    bytesPerSecond: seen.bytes / seconds / sessions,
    framesPerSecond: seen.frames / seconds / sessions,
  };
}
