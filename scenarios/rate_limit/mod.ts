import { Target } from "../../lib/client/target.ts";
import { counted } from "../../lib/run/describe_end.ts";
import {
  type BudgetOwner,
  type ExpectedLimits,
  parseExpectedLimits,
} from "../../lib/run/expected_limits.ts";
import type { MetricSpec, Parameters, Procedure, ScenarioContext } from "../../lib/run/scenario.ts";
import type { Interval } from "../../lib/schema.ts";
import { judgeBudget } from "./expected_limits.ts";
import {
  type Finding,
  measureAddress,
  measureSession,
  type SessionFinding,
} from "./limit_finding.ts";

interface RateLimitParameters extends Parameters {
  /** The most calls in a row, for either limit. */
  messages: number;
  /** How long to wait for refills, for either limit. */
  refillMs: number;
  /** How long a call may take: an answer that the server drops as a repeat never comes. */
  patienceMs: number;
  /** See `parseExpectedLimits`; `null`: nothing is expected. */
  expectLimits: string | null;
}

type Context = ScenarioContext<RateLimitParameters>;

/** An expected limit is looked for up to this many times its burst. */
const EXPECTED_MARGIN = 1.5;
/** The most that the highest refill that fits may be of the lowest. */
const WIDEST_RATIO = 3;
const NAMES: Record<BudgetOwner, string> = { session: "of a session", ip: "of an IP address" };

const BURST: MetricSpec = { kind: "scalar", unit: "calls", better: null };
const REFILL: MetricSpec = { kind: "scalar", unit: "calls/s", better: null };
const COMMON = { messages: 200, patienceMs: 5_000, expectLimits: null };

export const rateLimit: Procedure<RateLimitParameters> = {
  kind: "procedure",
  name: "rate-limit",
  title: "Rate limits",
  question: "How many calls may a session and an IP address make at once, and how many a second?",
  metrics: { sessionBurst: BURST, sessionRefill: REFILL, ipBurst: BURST, ipRefill: REFILL },
  headline: { metric: "sessionBurst" },
  gates: [],
  profiles: [],
  takes: ({ refillMs }) => ({ onceMs: 2 * refillMs + 5_000 }),
  defaults: {
    quick: { ...COMMON, refillMs: 2_000 },
    standard: { ...COMMON, refillMs: 5_000 },
    thorough: { ...COMMON, refillMs: 15_000 },
  },
  overloads: true,

  begin(context) {
    return context.maxRatePerSecond === null || context.keepsToLimit
      ? { conclude: () => findLimits(context) }
      : { skipped: "--max-rate keeps calls under the limits that this scenario looks for" };
  },
};

async function findLimits(context: Context): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const target = await limitedTarget(context, stack);
  const { expectLimits, refillMs: waitMs } = context.parameters;
  const expected = expectLimits === null ? {} : parseExpectedLimits(expectLimits);
  const most = (owner: BudgetOwner) => mostCalls(context.parameters.messages, expected[owner]);
  const session = await measureSession(context, {
    target,
    // A session without a limit of its own runs into that of its address.
    most: Math.max(most("session"), most("ip")),
    waitMs,
  });
  record(context, { ...session, expected });
  let address: Finding | null = null;
  if (session.owner === "ip") {
    const reason = "the budget of the IP address was used up first";
    recordMissing(context, { owner: "session", reason, expected });
  } else if (session.probe.firstRefusal === null) {
    const reason = "the calls of one session met no limit, not even one of its own";
    recordMissing(context, { owner: "ip", reason, expected });
  } else {
    address = await measureAddress(context, { target, session, most: most("ip"), waitMs });
    record(context, { ...address, expected });
  }
  checkAnswers(context, session, address);
}

/** The most calls in a row: enough to find a limit that is expected. */
function mostCalls(messages: number, expected: ExpectedLimits[BudgetOwner]): number {
  if (expected === undefined || expected === "none") return messages;
  return Math.max(messages, Math.ceil(EXPECTED_MARGIN * expected.burst));
}

/**
 * The server whose limits are looked for, as a target of its own, so that its refusals do not count against
 * other scenarios. The bundled server has its limits off, so that another one is started.
 */
async function limitedTarget(
  { target, bundled, parameters }: Context,
  stack: AsyncDisposableStack,
): Promise<Target> {
  const { options } = target;
  const server = bundled === null ? null : stack.use(await bundled.startLimited());
  const timeoutMs = Math.min(options.timeoutMs, parameters.patienceMs);
  return stack.use(
    new Target({
      ...options,
      timeoutMs,
      ...(server === null ? {} : { url: server.url, token: server.token }),
    }),
  );
}

function record(
  context: Context,
  { owner, probe, end, expected }: Finding & { expected: ExpectedLimits },
): void {
  const { fit, firstRefusal, accepted } = probe;
  if (firstRefusal === null) {
    const ending = end === "silent" ? "stopped answering" : "closed the connection";
    const reason = end === "bound"
      ? `no call was refused, of ${accepted} in a row`
      : `the server ${ending} after call ${accepted}`;
    return recordMissing(context, { owner, reason, expected });
  }
  if (fit === null) {
    const reason = `the refusals do not fit a token bucket; the first came after ${
      counted(firstRefusal.after, "call")
    }`;
    return recordMissing(context, { owner, reason, expected });
  }
  const { capacity, refillPerSecond } = fit;
  context.scalar(`${owner}Burst`, Math.round(middle(capacity)), { ci95: capacity });
  recordRefill(context, owner, refillPerSecond);
  const wanted = expected[owner];
  if (wanted === undefined) return;
  if (wanted === "none") {
    return checkNone(context, owner, `refused after ${counted(capacity[1], "call")}`);
  }
  const found = { burst: capacity, refillPerSecond };
  for (const judgement of judgeBudget(owner, { expected: wanted, found })) {
    if ("undecided" in judgement) context.notMeasured(judgement.name, judgement.undecided);
    else context.check(judgement);
  }
}

/** A refill that is hardly bounded, or on one side only, is no number to report. */
function recordRefill(context: Context, owner: BudgetOwner, refillPerSecond: Interval): void {
  const [low, high] = refillPerSecond;
  if (high > WIDEST_RATIO * low) {
    const range = `from ${low.toPrecision(2)} to ${high.toPrecision(2)} calls/s`;
    return context.notMeasured(`refill ${NAMES[owner]}`, `too few refills were seen: ${range}`);
  }
  context.scalar(`${owner}Refill`, middle(refillPerSecond), { ci95: refillPerSecond });
}

function middle([low, high]: readonly [number, number]): number {
  return (low + high) / 2;
}

/** A budget that was not found. */
function recordMissing(
  context: Context,
  { owner, reason, expected }: { owner: BudgetOwner; reason: string; expected: ExpectedLimits },
): void {
  const wanted = expected[owner];
  context.notMeasured(`budget ${NAMES[owner]}`, reason);
  if (wanted === undefined) return;
  if (wanted === "none") return checkNone(context, owner, null);
  context.check({
    kind: "expectedLimit",
    name: `${owner} burst is as expected`,
    passed: false,
    expected: `${counted(wanted.burst, "call")}`,
    observed: reason,
  });
}

function checkNone(context: Context, owner: BudgetOwner, refused: string | null): void {
  context.check({
    kind: "expectedLimit",
    name: `${owner} has no limit`,
    passed: refused === null,
    expected: "no call refused",
    observed: refused ?? "no call refused",
  });
}

/** Every call is answered, if by a refusal, and the connection stays open. */
function checkAnswers(
  context: Context,
  session: SessionFinding,
  address: Finding | null,
): void {
  const { probe: { firstRefusal }, isOpenAfterwards } = session;
  if (firstRefusal !== null && isOpenAfterwards !== null) {
    const { errorCode, errorMessage } = firstRefusal.call;
    context.check({
      kind: "openAfterRefusal",
      name: "a refusal leaves the connection open",
      passed: isOpenAfterwards,
      expected: "refused for load, and open",
      observed: `${errorCode}: ${errorMessage}; ${isOpenAfterwards ? "open" : "closed"}`,
    });
  }
  const { timeout, connectionLost, toolError } = context.ledger;
  const isLost = session.end === "lost" || address?.end === "lost";
  context.check({
    kind: "answeredOrRefused",
    name: "every call answered",
    passed: timeout + connectionLost + toolError === 0 && !isLost,
    expected: "a result or a refusal for load, on an open connection",
    observed: `${timeout} without an answer, ${connectionLost} lost, ${toolError} other errors` +
      (isLost ? "; the server closed the connection" : ""),
  });
}
