import { type LimitOwner, readLimitOwner } from "../lib/client/limiter_words.ts";
import { Target } from "../lib/client/target.ts";
import { BudgetProbe, OWN_SHARE, type RowEnd } from "../lib/run/budget_probe.ts";
import { counted } from "../lib/run/describe_end.ts";
import type { Budget, ExpectedLimits } from "../lib/run/expected_limits.ts";
import { parseExpectedLimits } from "../lib/run/expected_limits.ts";
import { freshAddress } from "../lib/run/fresh_address.ts";
import type { MetricSpec, Procedure, ScenarioContext } from "../lib/run/scenario.ts";
import { shown } from "../lib/run/schedule_checks.ts";
import { startEmbeddedServer } from "../lib/server/embedded.ts";
import { defaultServerOptions } from "../lib/server/options.ts";
import type { Check, Interval } from "../lib/schema.ts";

const STANDARD = {
  /** Maximum calls in a row, for either limit. */
  messages: 200,
  /** Total wait for refills, for either limit. */
  refillMs: 5_000,
  /** Timeout of a call. The October build sends no frame twice, so some answers never come. */
  patienceMs: 5_000,
  /** See `parseExpectedLimits`. */
  expectLimits: null as string | null,
};

type Context = ScenarioContext<typeof STANDARD>;

/** The search makes this many times the expected burst. */
const EXPECTED_MARGIN = 1.5;
/** A refill is reported only up to this ratio of the highest to the lowest that fits. */
const WIDEST_RATIO = 3;
/** Allowed deviation from an expected number, as a share of it; for a burst at least one call. */
const TOLERANCE = 0.1;
/** An interval wider than this, as a share of its middle to either side, confirms nothing. */
const WIDEST = 0.3;
const NAMES: Record<LimitOwner, string> = { session: "of a session", ip: "of an IP address" };

const BURST: MetricSpec = { kind: "scalar", unit: "calls", better: null };
const REFILL: MetricSpec = { kind: "scalar", unit: "calls/s", better: null };

export const rateLimit: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "rate-limit",
  title: "Rate limits",
  question: "How many calls can a session and an IP address make in a burst, and per second?",
  metrics: { sessionBurst: BURST, sessionRefill: REFILL, ipBurst: BURST, ipRefill: REFILL },
  headline: { metric: "sessionBurst" },
  profiles: [],
  takes: ({ refillMs }) => ({ onceMs: 2 * refillMs + 5_000 }),
  defaults: {
    quick: { ...STANDARD, refillMs: 2_000 },
    standard: STANDARD,
    thorough: { ...STANDARD, refillMs: 15_000 },
  },
  overloads: true,

  begin(context) {
    return context.maxRatePerSecond === null || context.keepsToLimit
      ? { conclude: () => findLimits(context) }
      : { skipped: "--max-rate keeps calls under the limits that this scenario has to reach" };
  },
};

async function findLimits(context: Context): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const target = await limitedTarget(context, stack);
  const { expectLimits, messages } = context.parameters;
  const expected = expectLimits === null ? {} : parseExpectedLimits(expectLimits);
  // Enough calls in a row to reach an expected limit.
  const bursts = (owners: LimitOwner[]) =>
    owners.map((owner) => expected[owner] ?? "none").map((one) => one === "none" ? 0 : one.burst);
  const mostOf = (...owners: LimitOwner[]) =>
    Math.max(messages, Math.ceil(EXPECTED_MARGIN * Math.max(...bursts(owners))));
  // A session without its own limit meets that of its address.
  const session = await measureSession(context, target, mostOf("session", "ip"));
  record(context, session, expected);
  let isLost = session.end === "lost";
  if (session.owner === "ip") {
    recordMissing(context, "session", "the budget of the IP address was used up first", expected);
  } else if (session.probe.firstRefusal === null) {
    const reason = "no limit was reached, not even that of a single session";
    recordMissing(context, "ip", reason, expected);
  } else {
    const most = mostOf("ip");
    const address = await measureAddress(context, target, { session, most });
    record(context, address, expected);
    isLost ||= address.end === "lost";
  }
  const { firstRefusal, isOpenAfterwards } = session.probe;
  if (firstRefusal !== null && isOpenAfterwards !== null) {
    const { errorCode, errorMessage } = firstRefusal.call;
    context.check({
      kind: "openAfterRefusal",
      name: "a refusal leaves the connection open",
      passed: isOpenAfterwards,
      expected: "refused by the rate limiter; open",
      observed: `${errorCode}: ${errorMessage}; ${isOpenAfterwards ? "open" : "closed"}`,
    });
  }
  const { timeout, connectionLost, toolError } = context.ledger;
  context.check({
    kind: "answeredOrRefused",
    name: "every call answered",
    passed: timeout + connectionLost + toolError === 0 && !isLost,
    expected: "a result or a refusal by the rate limiter, on an open connection",
    observed: `${timeout} without an answer, ${connectionLost} lost, ${toolError} other errors` +
      (isLost ? "; the server closed the connection" : ""),
  });
}

/**
 * A separate target, so that refusals do not count against other scenarios. The bundled server runs
 * without limits, so another one is started.
 */
async function limitedTarget(
  { target: { options }, bundled, parameters, seed }: Context,
  stack: AsyncDisposableStack,
): Promise<Target> {
  const startLimited = () => {
    const token = options.token ?? crypto.randomUUID();
    return startEmbeddedServer(defaultServerOptions({ token, limits: "default", seed }));
  };
  const { url, token } = bundled === null ? options : stack.use(await startLimited());
  const timeoutMs = Math.min(options.timeoutMs, parameters.patienceMs);
  return stack.use(new Target({ ...options, timeoutMs, url, token }));
}

/** The budget of an owner, and the calls that show it. */
interface Finding {
  owner: LimitOwner;
  probe: BudgetProbe;
  end: RowEnd;
}

type SessionFinding = Awaited<ReturnType<typeof measureSession>>;

/**
 * Measures the budget of one session. `other` is then a call of another session from the same
 * address, which shows whose limit it was.
 */
async function measureSession(context: Context, target: Target, most: number) {
  const { ledger, workload, signal, parameters: { refillMs } } = context;
  await using stack = new AsyncDisposableStack();
  const as = await freshAddress(target, stack);
  const probe = stack.use(new BudgetProbe({ ...context, target, as, callsPerSession: null }));
  const callFromOther = async () => {
    await using fresh = await target.connect(ledger, as);
    return await fresh.call(workload());
  };
  const end = await probe.measure(most, refillMs);
  const other = probe.firstRefusal === null ? null : await callFromOther();
  signal.throwIfAborted();
  const seen: LimitOwner = other?.status === "rateLimited" ? "ip" : "session";
  const owner = readLimitOwner(probe.firstRefusal?.call.errorMessage ?? "") ?? seen;
  return { owner, probe, end, other };
}

/** Measures the budget of an address with consecutive sessions, each using part of its own. */
async function measureAddress(
  context: Context,
  target: Target,
  { session, most }: { session: SessionFinding; most: number },
): Promise<Finding> {
  const ownBurst = session.probe.fit?.capacity[0] ?? session.probe.accepted;
  const callsPerSession = Math.max(1, Math.floor(OWN_SHARE * ownBurst));
  await using stack = new AsyncDisposableStack();
  const as = await freshAddress(target, stack);
  const probe = stack.use(new BudgetProbe({ ...context, target, as, callsPerSession }));
  if (as.client === undefined) {
    probe.charge(session.probe);
    if (session.other !== null) probe.note(session.other);
    context.note({
      kind: "sharedAddress",
      message:
        "the budget of the IP address is only correct if none of it was used beforehand: run the " +
        "scenario alone, with no other client at that address",
    });
  }
  const end = await probe.measure(most, context.parameters.refillMs);
  return { owner: "ip", probe, end };
}

function record(
  context: Context,
  { owner, probe: { fit, firstRefusal, accepted }, end }: Finding,
  expected: ExpectedLimits,
): void {
  if (firstRefusal === null) {
    const ending = end === "silent" ? "stopped answering" : "closed the connection";
    const reason = end === "bound"
      ? `none of ${accepted} calls in a row was refused`
      : `the server ${ending} after call ${accepted}`;
    return recordMissing(context, owner, reason, expected);
  }
  if (fit === null) {
    const after = counted(firstRefusal.after, "call");
    const reason = `the refusals do not fit a token bucket; the first came after ${after}`;
    return recordMissing(context, owner, reason, expected);
  }
  const { capacity, refillPerSecond } = fit;
  context.scalar(`${owner}Burst`, Math.round(middle(capacity)), { ci95: capacity });
  const [low, high] = refillPerSecond;
  if (high > WIDEST_RATIO * low) {
    // Too uncertain to report as a number.
    const range = `from ${low.toPrecision(2)} to ${high.toPrecision(2)} calls/s`;
    context.notMeasured(`refill ${NAMES[owner]}`, `too few refills seen to be precise: ${range}`);
  } else {
    context.scalar(`${owner}Refill`, middle(refillPerSecond), { ci95: refillPerSecond });
  }
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

function middle([low, high]: Interval): number {
  return (low + high) / 2;
}

function recordMissing(
  context: Context,
  owner: LimitOwner,
  reason: string,
  { [owner]: wanted }: ExpectedLimits,
): void {
  context.notMeasured(`budget ${NAMES[owner]}`, reason);
  if (wanted === undefined) return;
  if (wanted === "none") return checkNone(context, owner, "no call refused");
  context.check({
    kind: "expectedLimit",
    name: `${owner} burst is as expected`,
    passed: false,
    expected: counted(wanted.burst, "call"),
    observed: reason,
  });
}

function checkNone({ check }: Context, owner: LimitOwner, observed: string): void {
  const expected = "no call refused";
  const passed = observed === expected;
  check({ kind: "expectedLimit", name: `${owner} has no limit`, passed, expected, observed });
}

/** A check, or `undecided`: the interval has the expected number but is too wide to confirm it. */
type Judgement = Check | { name: string; undecided: string };

/** Compares the intervals found for an owner's budget with the expected one. */
export function judgeBudget(
  owner: LimitOwner,
  { expected: budget, found }: { expected: Budget; found: Record<keyof Budget, Interval> },
): Judgement[] {
  const numbers = [["burst", "calls", 1], ["refillPerSecond", "calls/s", 0]] as const;
  return numbers.map(([key, unit, leastTolerance]) => {
    const wanted = budget[key];
    const [low, high] = found[key];
    const name = `${owner} ${key === "burst" ? key : "refill"} is as expected`;
    const tolerance = Math.max(leastTolerance, TOLERANCE * wanted);
    const range = low === high ? shown(low) : `between ${shown(low)} and ${shown(high)}`;
    const observed = `${range} ${unit}`;
    const passed = low - tolerance <= wanted && wanted <= high + tolerance;
    const isWide = high === Infinity ||
      (high - low > 2 * tolerance && high - low > WIDEST * (high + low));
    if (passed && isWide) {
      return {
        name,
        undecided: `only known to be ${observed}, which is too wide to confirm it`,
      };
    }
    const expected = `${wanted} ${unit} ± ${shown(tolerance)}`;
    return { kind: "expectedLimit", name, passed, expected, observed };
  });
}
