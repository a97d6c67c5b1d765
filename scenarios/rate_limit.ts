import type { Interval } from "../lib/schema.ts";
import { Target } from "../lib/client/target.ts";
import {
  type BudgetOwner,
  type ExpectedLimits,
  judgeBudget,
  parseExpectedLimits,
} from "../lib/run/expected_limits.ts";
import {
  type Finding,
  measureAddress,
  measureSession,
  type SessionFinding,
} from "../lib/run/limit_finding.ts";
import type { MetricSpec, Parameters, Scenario, ScenarioContext } from "../lib/run/scenario.ts";

interface RateLimitParameters extends Parameters {
  /** The most calls to look for either limit with, at once. */
  messages: number;
  /** How long to wait for tokens to come in, for either limit. */
  refillMs: number;
  /** How long a call may take: an answer that the server holds back as a repeat never comes. */
  patienceMs: number;
  /** See `parseExpectedLimits`; `null`: nothing is expected. */
  expectLimits: string | null;
}

type Context = ScenarioContext<RateLimitParameters>;

/** A limit that is expected is looked for this much beyond. */
const EXPECTED_MARGIN = 1.5;
/** The most that the highest refill that fits may be of the lowest. */
const WIDEST_RATIO = 3;
const NAMES: Record<BudgetOwner, string> = { session: "of a session", ip: "of an IP address" };

const BURST: MetricSpec = { kind: "scalar", unit: "calls", better: null };
const REFILL: MetricSpec = { kind: "scalar", unit: "calls/s", better: null };
const COMMON = { rounds: 1, messages: 200, patienceMs: 5_000, expectLimits: null };

export const rateLimit: Scenario<RateLimitParameters> = {
  name: "rate-limit",
  question: "How many calls may a session and an IP address make at once, and how many a second?",
  metrics: { sessionBurst: BURST, sessionRefill: REFILL, ipBurst: BURST, ipRefill: REFILL },
  profiles: [],
  defaults: {
    quick: { ...COMMON, refillMs: 2_000 },
    standard: { ...COMMON, refillMs: 5_000 },
    thorough: { ...COMMON, refillMs: 15_000 },
    phase2: { ...COMMON, refillMs: 5_000 },
  },
  overloads: true,

  async run(context) {
    if (context.maxRatePerSecond !== null) {
      const reason = "--max-rate keeps calls under the limiter that this scenario looks for";
      return { status: "skipped", reason };
    }
    if (context.parameters.rounds > 1) context.note("one search is made, whatever --rounds says");
    await using stack = new AsyncDisposableStack();
    const target = await limitedTarget(context, stack);
    const { expectLimits, refillMs: waitMs } = context.parameters;
    const expected = parseExpected(expectLimits);
    const session = await measureSession(context, {
      target,
      // A session without a limit of its own meets that of its address.
      most: Math.max(mostCalls(context, "session"), mostCalls(context, "ip")),
      waitMs,
    });
    record(context, { ...session, expected });
    let address: Finding | null = null;
    if (session.owner === "session" && session.probe.firstRefusal !== null) {
      address = await measureAddress(context, {
        target,
        session,
        most: mostCalls(context, "ip"),
        waitMs,
      });
      record(context, { ...address, expected });
    } else {
      const [owner, reason] = session.owner === "session"
        ? ["ip", "the calls of one session met no limit, not even one of its own"] as const
        : ["session", "the budget of the IP address was used up before"] as const;
      recordMissing(context, { owner, reason, expected });
    }
    checkAnswers(context, session, address);
    return { status: "measured" };
  },
};

/** The most calls to look for a limit with: enough to find one that is expected. */
function mostCalls(
  { parameters: { messages, expectLimits } }: Context,
  owner: BudgetOwner,
): number {
  const expected = parseExpected(expectLimits)[owner];
  if (expected === undefined || expected === "none") return messages;
  return Math.max(messages, Math.ceil(EXPECTED_MARGIN * expected.burst));
}

function parseExpected(text: string | null): ExpectedLimits {
  return text === null ? {} : parseExpectedLimits(text);
}

/**
 * The server whose limits are looked for, as a target of its own: what it refuses here is no limiter in the
 * way of others. The bundled server has none, so another one is started that has.
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
  const { fit, firstRefusal } = probe;
  if (firstRefusal === null) {
    const reason = end === "bound"
      ? `no call was refused, of ${probe.accepted} in a row`
      : `the server ${end === "silent" ? "did not answer" : "closed the connection"} ` +
        `behind call ${probe.accepted}`;
    return recordMissing(context, { owner, reason, expected });
  }
  if (fit === null) {
    const reason =
      `no token bucket decides so; the first refusal came after ${firstRefusal.after} calls`;
    return recordMissing(context, { owner, reason, expected });
  }
  const { capacity, refillPerSecond } = fit;
  context.scalar(`${owner}Burst`, Math.round(middle(capacity)), { ci95: capacity });
  recordRefill(context, owner, refillPerSecond);
  const wanted = expected[owner];
  if (wanted === undefined) return;
  if (wanted === "none") return checkNone(context, owner, `refused after ${capacity[1]} calls`);
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
    const reason = `too few waits tell it: from ${low.toPrecision(2)} to ${
      high.toPrecision(2)
    } calls/s`;
    return context.notMeasured(`refill ${NAMES[owner]}`, reason);
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
    name: `${owner} burst is as expected`,
    passed: false,
    expected: `${wanted.burst} calls`,
    observed: reason,
  });
}

function checkNone(context: Context, owner: BudgetOwner, refused: string | null): void {
  context.check({
    name: `${owner} has no limit`,
    passed: refused === null,
    expected: "no call refused",
    observed: refused ?? "no call refused",
  });
}

/** Every call is answered; a refusal is an answer, and the connection goes on. */
function checkAnswers(
  context: Context,
  session: SessionFinding,
  address: Finding | null,
): void {
  const { probe: { firstRefusal }, isOpenAfterwards } = session;
  if (firstRefusal !== null && isOpenAfterwards !== null) {
    const { errorCode, errorMessage } = firstRefusal.call;
    context.check({
      name: "a refusal leaves the connection open",
      passed: isOpenAfterwards,
      expected: "refused for load, and open",
      observed: `${errorCode}: ${errorMessage}; ${isOpenAfterwards ? "open" : "closed"}`,
    });
  }
  const { timeout, connectionLost, toolError } = context.ledger;
  const isLost = session.end === "lost" || address?.end === "lost";
  context.check({
    name: "every call answered",
    passed: timeout + connectionLost + toolError === 0 && !isLost,
    expected: "a result or a refusal for load, on an open connection",
    observed: `${timeout} without an answer, ${connectionLost} lost, ${toolError} other errors` +
      (isLost ? "; the server closed the connection" : ""),
  });
}
