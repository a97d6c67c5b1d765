import { type RateSearchResult, searchRate, wholeNumbers } from "../../lib/load/rate_search.ts";
import { type SessionSpec, type Step, usesPrevious } from "../../lib/load/session.ts";
import { parseStages } from "../../lib/load/stages.ts";
import { type MetricSpec, type Procedure, THROUGHPUT, TIMES } from "../../lib/run/scenario.ts";
import { counted } from "../../lib/run/describe_end.ts";
import { runRamp } from "./ramp.ts";
import type { SessionContext, SessionMiss, SessionParameters } from "./sessions_seen.ts";
import { runSessionTrial, type SessionTrial } from "./trial.ts";

const COST: Pick<MetricSpec & { kind: "scalar" }, "kind" | "better"> = {
  kind: "scalar",
  better: "lower",
};
/** About how many trials a search takes, and how many to confirm its answer. */
const RUNS = 12;
const CONFIRMATIONS = 4;
const COMMON = { sloMs: 50, connections: 100, sessions: 5, stages: null, payloadBytes: 0 };

export const sessionCapacity: Procedure<SessionParameters> = {
  kind: "procedure",
  name: "session-capacity",
  title: "Session capacity",
  question: "How many sessions can the server carry at once within the objective?",
  metrics: {
    capacity: { kind: "scalar", unit: "sessions", better: "higher" },
    metShare: { kind: "scalar", unit: "", better: null },
    callRate: { kind: "scalar", unit: "calls/s", better: null },
    sessionBytes: { ...COST, unit: "bytes/s" },
    sessionFrames: { ...COST, unit: "frames/s" },
    latency: TIMES,
    establish: TIMES,
    throughput: THROUGHPUT,
  },
  headline: { metric: "capacity" },
  gates: [{ metric: "capacity" }],
  profiles: ["thorough", "phase3"],
  takes: ({ durationMs, confirmMs }) => ({ onceMs: RUNS * durationMs + CONFIRMATIONS * confirmMs }),
  defaults: {
    quick: { ...COMMON, durationMs: 500, confirmMs: 2_000 },
    standard: { ...COMMON, durationMs: 2_000, confirmMs: 10_000 },
    // Heavy tools take seconds each.
    phase3: { ...COMMON, sloMs: 20_000, durationMs: 10_000, confirmMs: 20_000 },
  },
  overloads: true,
  worksInSessions: true,

  begin(context) {
    const { sessionWork } = context;
    if (sessionWork.status === "refused") return { skipped: sessionWork.reason };
    const { spec } = sessionWork;
    const { stages } = context.parameters;
    return {
      conclude: () => stages === null ? search(context, spec) : ramp(context, { spec, stages }),
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
  checkFilled(context, spec, result.trials.find(({ unfilled }) => unfilled !== null)?.unfilled);
}

async function ramp(
  context: SessionContext,
  { spec, stages }: { spec: SessionSpec<Step>; stages: string },
): Promise<void> {
  const { carried, held, refusal, unfilled } = await runRamp(context, {
    spec,
    stages: parseStages(stages),
  });
  if (carried !== null) context.scalar("capacity", carried);
  if (refusal !== null) noteConnectionLimit(context, { held, why: refusal });
  tallyCarried(
    context,
    carried,
    carried === null ? "already the fewest missed the objective" : null,
  );
  checkFilled(context, spec, unfilled);
}

function recordCapacity(
  context: SessionContext,
  { sustainedPerSecond: capacity, metShare, limit, trials }: RateSearchResult<SessionTrial>,
): void {
  if (capacity !== null) {
    context.scalar("capacity", capacity);
    if (metShare !== null) context.scalar("metShare", metShare);
    const best = trials.findLast(({ ratePerSecond, verdict }) =>
      ratePerSecond === capacity && verdict === "met"
    );
    if (best !== undefined) {
      context.scalar("callRate", best.callsPerSecond);
      context.scalar("sessionBytes", best.bytesPerSecond);
      context.scalar("sessionFrames", best.framesPerSecond);
    }
  }
  if (limit.kind === "client" && limit.latePerSecond > (capacity ?? 0)) {
    const sessions = limit.latePerSecond;
    const message =
      `the client cannot drive ${counted(sessions, "session")} on time, so that the server may ` +
      "carry more: use an idle machine";
    context.invalidate({ kind: "clientLimit", message, sessions });
    context.notMeasured("limit of the server", message);
    if (capacity === null) return;
  }
  if (limit.kind === "highest") {
    context.notMeasured(
      "limit of the server",
      `the most tried (--connections), ${counted(capacity!, "session")}, can be carried`,
    );
  }
  for (const miss of trials.flatMap(({ misses }) => misses)) {
    if (miss.kind === "refused") noteConnectionLimit(context, miss);
  }
  const missed = lowestMissed(trials, capacity ?? 0);
  if (missed !== undefined && missed.misses[0]!.kind !== "refused") {
    const { ratePerSecond: sessions, misses } = missed;
    context.note({
      kind: "failedFirst",
      message: `what failed first, at ${counted(sessions, "session")}: ${
        misses.map((miss) => describe(miss, context)).join("; ")
      }`,
      sessions,
      what: misses[0]!.kind,
    });
  }
  const why = capacity === null && missed !== undefined
    ? `with ${counted(missed.ratePerSecond, "session")} ${describe(missed.misses[0]!, context)}`
    : null;
  tallyCarried(context, capacity, why);
}

/** Of the trials that missed with more than are carried the first with the fewest sessions. */
function lowestMissed(trials: readonly SessionTrial[], carried: number): SessionTrial | undefined {
  return trials
    .filter(({ verdict, ratePerSecond }) => verdict === "missed" && ratePerSecond > carried)
    .sort((a, b) => a.ratePerSecond - b.ratePerSecond)[0];
}

function describe(miss: SessionMiss, { parameters }: SessionContext): string {
  const sloMs = Number(parameters.sloMs.toPrecision(4));
  switch (miss.kind) {
    case "refused":
      return `more than ${miss.held} were refused: ${miss.why}`;
    case "opening":
      return `handshakes: ${miss.over} of ${miss.opened} failed or took over ${sloMs} ms` +
        (miss.why === null ? "" : ` (${miss.why})`);
    case "refusals":
      return `refusals: ${miss.over} of ${
        counted(miss.calls, "call")
      } failed, most of them refused for load`;
    case "latency":
      return `latency: ${miss.over} of ${
        counted(miss.calls, "call")
      } failed or took over ${sloMs} ms`;
    case "gone":
      return "no call was answered";
    default:
      return miss satisfies never;
  }
}

function noteConnectionLimit(
  context: Pick<SessionContext, "note">,
  { held, why }: { held: number; why: string },
): void {
  const message =
    `the server's connection limit bounds it: no more than ${counted(held, "session")} at once ` +
    `${held === 1 ? "was" : "were"} let in (${why})`;
  context.note({ kind: "connectionLimit", message, sessions: held });
}

function tallyCarried(context: SessionContext, carried: number | null, why: string | null): void {
  const seen = carried === null ? 0 : 1;
  context.tally({ kind: "sessionsCarried", name: "sessions are carried", seen, wanted: 1, why });
}

/** A step that is left out is no load, so that the numbers would be of another workload. */
function checkFilled(
  context: SessionContext,
  { begin, patterns }: SessionSpec<Step>,
  unfilled: Step | null | undefined,
): void {
  const steps = [...begin, ...patterns.flatMap(({ steps }) => steps)];
  if (!steps.some(({ argsJson }) => usesPrevious(argsJson))) return;
  context.check({
    kind: "previousFilled",
    name: "every {previous} is in the reply before",
    passed: !unfilled,
    expected: "in all of them",
    observed: unfilled
      ? `not in that before ${unfilled.tool} ${unfilled.argsJson}`
      : "in all of them",
  });
}
