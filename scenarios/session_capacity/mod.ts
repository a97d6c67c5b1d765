import { wait } from "../../lib/load/pace.ts";
import { type RateSearchResult, searchRate, wholeNumbers } from "../../lib/load/rate_search.ts";
import { type SessionSpec, type Step, usesPrevious } from "../../lib/load/session.ts";
import { levelAt, parseStages, spanOf } from "../../lib/load/stages.ts";
import { counted } from "../../lib/run/describe_end.ts";
import { type MetricSpec, type Procedure, THROUGHPUT, TIMES } from "../../lib/run/scenario.ts";
import { noteNotJudged, recordFound, SHARE } from "../../lib/run/search_record.ts";
import type { SessionContext, SessionTrial } from "./trial.ts";
import { mayMiss, runSessionTrial, SessionsSeen, STANDARD } from "./trial.ts";

const cost = (unit: string): MetricSpec => ({ kind: "scalar", unit, better: "lower" });
/** Approximate trials of a search, and trials to confirm its result. */
const RUNS = 12;
const CONFIRMATIONS = 4;
/** In a ramp: how often the number of sessions changes, and how many points the curve has. */
const STEP_MS = 20;
const LEVELS = 10;
const CARRIED = { kind: "sessionsCarried", name: "sessions are carried" };

export const sessionCapacity: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "session-capacity",
  question: "How many sessions can the server carry at once within the latency objective?",
  metrics: {
    capacity: { kind: "scalar", unit: "sessions", better: "higher" },
    metShare: SHARE,
    met: SHARE,
    callRate: { kind: "scalar", unit: "calls/s", better: null },
    sessionBytes: cost("bytes/s"),
    sessionFrames: cost("frames/s"),
    latency: TIMES,
    establish: TIMES,
    throughput: THROUGHPUT,
  },
  headline: { metric: "capacity" },
  gates: [{ metric: "capacity" }],
  profiles: ["thorough", "phase3"],
  takes: ({ durationMs, confirmMs }) => ({ onceMs: RUNS * durationMs + CONFIRMATIONS * confirmMs }),
  defaults: {
    quick: { ...STANDARD, durationMs: 500, confirmMs: 2_000 },
    standard: STANDARD,
    // Heavy tools take seconds each.
    phase3: { ...STANDARD, sloMs: 20_000, durationMs: 10_000, confirmMs: 20_000 },
  },
  overloads: true,
  worksInSessions: true,

  begin(context) {
    const { sessionWork, parameters: { stages } } = context;
    if (sessionWork.status === "refused") return { skipped: sessionWork.reason };
    const { spec } = sessionWork;
    return {
      conclude: () => stages === null ? search(context, spec) : ramp(context, spec, stages),
    };
  },
};

async function search(context: SessionContext, spec: SessionSpec<Step>): Promise<void> {
  const { connections, sessions: first } = context.parameters;
  let runs = 0;
  const result = await searchRate<SessionTrial>({
    series: wholeNumbers(connections),
    first,
    lowest: 1,
    highest: connections,
    run: (sessions, { confirms }) =>
      runSessionTrial(context, { spec, sessions, confirms, seed: context.seed + runs++ }),
  });
  recordCapacity(context, result);
  noteNotJudged(context, result.trials);
  checkFilled(context, spec, result.trials.map(({ seen }) => seen));
}

/**
 * Lets the number of sessions follow the stages, up to `connections`. Calls are recorded by the
 * number of sessions at their end, rounded up to a tenth of the maximum.
 */
async function ramp(
  context: SessionContext,
  spec: SessionSpec<Step>,
  text: string,
): Promise<void> {
  const { clock, signal, ledger, seed, target, parameters: { connections, sloMs } } = context;
  const stages = parseStages(text);
  const step = Math.ceil(connections / LEVELS);
  const counts = new Map<number, { calls: number; over: number }>();
  const seen = new SessionsSeen(context, {
    spec,
    seed,
    onCall({ status, sentNs, endedNs }, now) {
      const sessions = Math.min(connections, Math.ceil(now / step) * step);
      const count = counts.get(sessions) ?? { calls: 0, over: 0 };
      counts.set(sessions, count);
      count.calls++;
      if (status !== "ok" || endedNs - sentNs > sloMs * 1e6) count.over++;
      const latency = context.distribution("latency", { at: { sessions } });
      if (status === "ok") latency.record(endedNs - sentNs);
      else if (status === "timeout") latency.censor(1, endedNs - sentNs);
      else if (status === "connectionLost") latency.censor(1, target.options.timeoutMs * 1e6);
    },
  });
  const startNs = clock.nowNs();
  const elapsedMs = () => (clock.nowNs() - startNs) / 1e6;
  const spanMs = spanOf(stages);
  const { crowd } = seen;
  crowd.useLedger(ledger);
  let before = 0;
  try {
    while (elapsedMs() < spanMs && !signal.aborted) {
      const level = Math.min(connections, Math.round(levelAt(stages, elapsedMs())));
      // Each session is tried once, even if the server refuses it.
      crowd.want(Math.min(level, crowd.wanted + Math.max(0, level - before)));
      before = level;
      context.progress(elapsedMs(), spanMs);
      await wait(STEP_MS, context);
    }
  } finally {
    await crowd.leave();
  }
  signal.throwIfAborted();
  const levels = [...counts].sort(([a], [b]) => a - b);
  const missed = levels.findIndex(([, { calls, over }]) => over > mayMiss(calls));
  const carried = missed === 0 ? undefined : levels.at(missed < 0 ? -1 : missed - 1)?.[0];
  if (carried !== undefined) context.scalar("capacity", Math.min(seen.held, carried));
  noteConnectionLimit(context, seen);
  const missedBy = seen.held === 0 && seen.failure !== null
    ? `no session opened: ${seen.failure}`
    : "even the smallest number of sessions missed the objective";
  const why = carried === undefined ? missedBy : null;
  context.tally({ ...CARRIED, why });
  checkFilled(context, spec, [seen]);
}

function recordCapacity(context: SessionContext, result: RateSearchResult<SessionTrial>): void {
  const { sustainedPerSecond: capacity, trials } = result;
  // The missed trial with the fewest sessions above the capacity.
  const [missed] = trials
    .filter(({ verdict, ratePerSecond }) => verdict === "missed" && ratePerSecond > (capacity ?? 0))
    .sort((a, b) => a.ratePerSecond - b.ratePerSecond);
  const isServers = recordFound(context, [result], {
    metric: "capacity",
    late: (sessions) => ({
      kind: "clientLimit",
      message: `the client cannot drive ${counted(sessions, "session")} on time, so the server ` +
        "may carry more: use an idle machine",
      sessions,
    }),
    highest: (most) =>
      `the server carried ${counted(most, "session")}, the maximum tried (--connections)`,
    check: CARRIED,
    why: () =>
      missed === undefined
        ? null
        : `at ${counted(missed.ratePerSecond, "session")}, ${missed.misses[0]!.what}`,
  });
  const best = trials.findLast(({ ratePerSecond, verdict }) =>
    ratePerSecond === capacity && verdict === "met"
  );
  if (best !== undefined) {
    context.scalar("callRate", best.callsPerSecond!);
    context.scalar("sessionBytes", best.bytesPerSecond!);
    context.scalar("sessionFrames", best.framesPerSecond!);
  }
  if (!isServers) return;
  for (const { seen } of trials) noteConnectionLimit(context, seen);
  if (missed === undefined || missed.misses[0]!.kind === "refused") return;
  const { ratePerSecond: sessions, misses } = missed;
  const what = misses.map((miss) => miss.what).join("; ");
  context.note({
    kind: "failedFirst",
    message: `the objective was missed at ${counted(sessions, "session")}: ${what}`,
    sessions,
    what: misses[0]!.kind,
  });
}

function noteConnectionLimit({ note }: SessionContext, { held, refusal }: SessionsSeen): void {
  if (refusal === null) return;
  const accepted = `it accepted ${counted(held, "session")} at once, then refused more`;
  const message = `limited by the server's connection limit: ${accepted}: ${refusal}`;
  note({ kind: "connectionLimit", message, sessions: held });
}

/** Checks that no step was skipped, because the figures would describe another workload. */
function checkFilled(
  context: SessionContext,
  { begin, patterns }: SessionSpec<Step>,
  seen: readonly SessionsSeen[],
): void {
  const steps = [...begin, ...patterns.flatMap(({ steps }) => steps)];
  if (!steps.some(({ argsJson }) => usesPrevious(argsJson))) return;
  const expected = "in all of them";
  const { unfilled = null } = seen.find(({ unfilled }) => unfilled !== null) ?? {};
  context.check({
    kind: "previousFilled",
    name: "every {previous} is in the reply before",
    passed: unfilled === null,
    expected,
    observed: unfilled === null ? expected : `missing before ${unfilled.tool} ${unfilled.argsJson}`,
  });
}
