import { ConnectError } from "../lib/net/connect_error.ts";
import type { Connection } from "../lib/net/connection.ts";
import { type SessionOptions, Target } from "../lib/net/target.ts";
import { BudgetProbe, measureBudget, type RowEnd } from "../lib/run/budget_probe.ts";
import {
  type BudgetOwner,
  type ExpectedLimits,
  judgeBudget,
  parseExpectedLimits,
} from "../lib/run/expected_limits.ts";
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

/** Another address of this machine, whose budget nobody has used. */
const OTHER_ADDRESS = "127.0.0.3";
/** What each of several sessions uses of its own budget, at most. */
const OWN_SHARE = 0.8;
/** A limit that is expected is looked for this much beyond. */
const EXPECTED_MARGIN = 1.5;
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
    await using stack = new AsyncDisposableStack();
    const target = await limitedTarget(context, stack);
    const expected = parseExpected(context.parameters.expectLimits);
    const session = await measureSession(context, target);
    const { ledger } = context;
    record(context, { ...session, expected });
    if (session.owner === "session" && session.end === "refused") {
      record(context, { ...await measureAddress(context, { target, session }), expected });
    } else {
      const other = session.owner === "session" ? "ip" : "session";
      const reason = session.owner === "session"
        ? "the calls of one session did not even meet a limit of its own"
        : "the budget of the IP address is used up before";
      recordMissing(context, { owner: other, reason, expected });
    }
    checkAnswers(context, session);
    context.check({
      name: "every call answered",
      passed: ledger.timeout + ledger.connectionLost + ledger.toolError === 0,
      expected: "a result or a refusal for load",
      observed: `${ledger.timeout} without an answer, ${ledger.connectionLost} lost with their ` +
        `connection, ${ledger.toolError} other errors`,
    });
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

/** What is known of an owner's budget, and from which calls. */
interface Finding {
  owner: BudgetOwner;
  probe: BudgetProbe;
  end: RowEnd;
  /** Whether the connection was open after the first refusal. */
  isOpenAfterwards: boolean | null;
}

/** One session until it is refused; another, of the same address, then tells whose limit that was. */
async function measureSession(context: Context, target: Target): Promise<Finding> {
  const { refillMs } = context.parameters;
  const most = mostCalls(context, "session");
  const { sessionsOutliveConnections } = target.options.protocol;
  const probe = new BudgetProbe(context);
  const credentials = target.newCredentials();
  const connect = () => target.connect(context.ledger, { credentials });
  let connection = await connect();
  let isOpenAfterwards: boolean | null = null;
  const row = async () => {
    // The same refusal in the same words may not be sent on the same connection again.
    if (probe.firstRefusal !== null && sessionsOutliveConnections) {
      await connection.close();
      connection = await connect();
    }
    const end = await probe.callUntilRefused(connection, most);
    if (end === "refused") isOpenAfterwards ??= connection.isOpen;
    return end;
  };
  try {
    const end = await measureBudget(context, { probe, row, waitMs: refillMs });
    const isOwn = probe.firstRefusal === null || await isServedNow(context, target);
    return { owner: isOwn ? "session" : "ip", probe, end, isOpenAfterwards };
  } finally {
    await connection.close();
  }
}

/** Whether a session that has not called yet is served. */
async function isServedNow(context: Context, target: Target): Promise<boolean> {
  await using fresh = await target.connect(context.ledger);
  const { status } = await fresh.call(context.workload());
  context.signal.throwIfAborted();
  return status !== "rateLimited";
}

/** Sessions one after the other, each with a part of its own budget, until one is refused all the same. */
async function measureAddress(
  context: Context,
  { target, session }: { target: Target; session: Finding },
): Promise<Finding> {
  const { refillMs } = context.parameters;
  const most = mostCalls(context, "ip");
  const probe = new BudgetProbe(context);
  const ownBurst = session.probe.fit?.capacity[0] ?? session.probe.accepted;
  const each = Math.max(1, Math.floor(OWN_SHARE * ownBurst));
  await using stack = new AsyncDisposableStack();
  const as = await ownAddress(context, { target, stack });
  const row = async () => {
    let end: RowEnd = "bound";
    for (let left = most; end === "bound" && left > 0; left -= each) {
      await using connection = await target.connect(context.ledger, as);
      end = await probe.callUntilRefused(connection, Math.min(each, left));
    }
    return end;
  };
  const end = await measureBudget(context, { probe, row, waitMs: refillMs });
  return { owner: "ip", probe, end, isOpenAfterwards: null };
}

/** Options that make connections come from an address that has its whole budget; none where there is none. */
async function ownAddress(
  context: Context,
  { target, stack }: { target: Target; stack: AsyncDisposableStack },
): Promise<SessionOptions> {
  if (target.isLoopback) {
    const client = stack.use(target.clientFrom(OTHER_ADDRESS));
    try {
      await using _connection = await target.connect(context.ledger, { client });
      return { client };
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof ConnectError)) throw error;
    }
  }
  context.note(
    "the budget of the IP address is measured from the address that has just used some of it: it may " +
      "be larger than found",
  );
  return {};
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
  context.scalar(`${owner}Refill`, middle(refillPerSecond), { ci95: refillPerSecond });
  const wanted = expected[owner];
  if (wanted === undefined) return;
  if (wanted === "none") return checkNone(context, owner, `refused after ${capacity[1]} calls`);
  const found = { burst: capacity, refillPerSecond };
  for (const judgement of judgeBudget(owner, { expected: wanted, found })) {
    if ("undecided" in judgement) context.notMeasured(judgement.name, judgement.undecided);
    else context.check(judgement);
  }
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

/** A refusal is an answer, and the connection goes on. */
function checkAnswers(
  context: Context,
  { probe: { firstRefusal }, isOpenAfterwards }: Finding,
): void {
  if (firstRefusal === null) return;
  const { errorCode, errorMessage } = firstRefusal.call;
  context.check({
    name: "a refusal leaves the connection open",
    passed: isOpenAfterwards === true,
    expected: "refused for load, and open",
    observed: `${errorCode}: ${errorMessage}; ` +
      (isOpenAfterwards ? "open" : "closed"),
  });
}
