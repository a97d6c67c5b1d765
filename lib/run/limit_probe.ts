import { ConnectError } from "../client/connect_error.ts";
import { openLedger } from "../client/ledger.ts";
import { type LimitOwner, readLimitOwner, readRetryAfter } from "../client/limiter_words.ts";
import { Target } from "../client/target.ts";
import { wait } from "../load/pace.ts";
import type { RateLimit } from "../schema.ts";
import { BudgetProbe, type BudgetProbeOptions, OWN_SHARE } from "./budget_probe.ts";
import type { Budget } from "./expected_limits.ts";
import { freshAddress } from "./fresh_address.ts";
import { KEPT_SHARE } from "./rate_limit.ts";
import type { Run } from "./run.ts";
import { TargetUnusableError } from "./scenario.ts";

/** A limit above this many calls of a session, or one not met in this time, does not matter. */
const MOST_CALLS = 120;
const MOST_MS = 3_000;
/** Maximum time of a call, and of a wait that the server asks for. */
const CALL_MS = 1_000;
const MOST_CALLS_OF_ADDRESS = 500;
/** Enough calls after a wait to be refused again. */
const RETRIED_CALLS = 5;
/** Total wait for refills if the server does not say how fast it refills. */
const REFILL_WAIT_MS = 3_000;
/** How often the server is asked again when to retry, because its answer is rounded. */
const WORD_ROUNDS = 2;
/** Maximum wait for an address to refill the budget that the probe used up. */
const MOST_RECOVERY_MS = 10_000;
const FEWEST_PER_MINUTE = 20;

/** A limiter that was found. A refill of 0 means that none was seen. */
export interface FoundLimit extends Budget {
  owner: LimitOwner;
  atCall: number;
  message: string;
}

/**
 * Finds the servers' rate limiters and sets the rate of all runs to what the tightest allows. A
 * rate set by the user stays. No ledger counts these calls.
 *
 * @throws {TargetUnusableError} if a limiter is too tight to measure anything
 * @throws the signal's reason if a run is interrupted
 */
export async function keepToLimits(runs: readonly Run[]): Promise<void> {
  const limits: (RateLimit & { keptToPerSecond: number })[] = [];
  for (const run of runs.filter(isPaced)) {
    const found = await probeLimits(run);
    if (found === null) continue;
    const { first, address } = found;
    const sessions = mostSessions(run);
    const keptToPerSecond = keptRate(first, { sessions });
    // Only to throw if the address leaves its sessions too little.
    if (address !== null) keptRate(address, { sessions });
    const shared = address === null ? {} : { addressRefillPerSecond: address.refillPerSecond };
    limits.push({ scenario: null, ...first, ...shared, keptToPerSecond });
    run.rateLimit = limits.at(-1)!;
  }
  const [lowest] = limits.toSorted((a, b) => a.keptToPerSecond - b.keptToPerSecond);
  if (lowest === undefined) return;
  const { keptToPerSecond } = lowest;
  const refill = Math.min(...limits.map((limit) => limit.addressRefillPerSecond ?? Infinity));
  const shared = refill < Infinity ? { addressRatePerSecond: KEPT_SHARE * refill } : {};
  for (const run of runs) {
    run.rateLimit = { ...(run.rateLimit ?? lowest), keptToPerSecond };
    run.settings = { ...run.settings, maxRatePerSecond: keptToPerSecond, ...shared };
  }
}

/** True if the run has calls whose rate can be set. The bundled server has no limiter. */
function isPaced({ bundled, planned, settings: { maxRatePerSecond, ignoreLimits } }: Run): boolean {
  return bundled === null && maxRatePerSecond === null && !ignoreLimits &&
    planned.some(({ scenario, skip }) => scenario.kind === "cases" && skip === undefined);
}

/**
 * Maximum sessions that call at the same time, keep to the rate and share the budget of an address.
 */
export function mostSessions({ planned }: Run): number {
  const counts = planned.flatMap(({ scenario: { overloads }, parameters: { connections } }) =>
    typeof connections === "number" && !overloads ? connections : []
  );
  return Math.max(1, ...counts);
}

/**
 * Calls a second per session that stay under the limit, to two significant digits so that the same
 * limit gives the same rate in every run.
 *
 * @throws {TargetUnusableError} if the rate is too low
 */
export function keptRate(
  { owner, burst, refillPerSecond, message }: FoundLimit,
  { sessions }: { sessions: number },
): number {
  const sharers = owner === "ip" ? sessions : 1;
  const who = sharers > 1 ? `${sharers} sessions of an address` : "sessions";
  const variable = owner === "ip" ? "RATE_LIMIT_IP_REFILL_RATE" : "RATE_LIMIT_USER_REFILL_RATE";
  const kept = KEPT_SHARE * refillPerSecond / sharers;
  if (60 * kept >= FEWEST_PER_MINUTE) return Number(kept.toPrecision(2));
  const refill = refillPerSecond.toPrecision(2);
  throw new TargetUnusableError(
    `The server's rate limiter is too tight to measure anything: it served ${burst} calls at once ` +
      `and then ${refill} a second ("${message}"), which leaves each of the ${who} fewer than ` +
      `${FEWEST_PER_MINUTE} a minute. Raise its limits (${variable}), or ignore them with ` +
      "--ignore-limits.",
  );
}

/**
 * Finds the limit of a session, then that of several sessions from one address (`null`: none).
 * Returns `null` if no call of the first session was refused or no connection opens.
 */
async function probeLimits(
  run: Run,
): Promise<{ first: FoundLimit; address: FoundLimit | null } | null> {
  const { options } = run.target;
  await using stack = new AsyncDisposableStack();
  // A separate target, so that its refusals do not count as the run's.
  const target = stack.use(
    new Target({ ...options, timeoutMs: Math.min(options.timeoutMs, CALL_MS) }),
  );
  try {
    const as = await freshAddress(target, stack);
    const probing = { ...run, target, ledger: openLedger(), as };
    const first = await findLimit({ ...probing, callsPerSession: null }, MOST_CALLS);
    if (first === null) return null;
    const callsPerSession = Math.ceil(OWN_SHARE * first.burst);
    const address = mostSessions(run) > 1 && first.owner === "session"
      ? await findLimit({ ...probing, callsPerSession }, MOST_CALLS_OF_ADDRESS)
      : null;
    // If a new session is refused at once, the first session used up the budget of the address.
    const isOfAddress = address?.atCall === 1 || first.owner === "ip";
    const used = isOfAddress ? first : address;
    // Without a fresh address the run needs the budget that the probe used up.
    if (used !== null && used.refillPerSecond > 0 && as.client === undefined) {
      await wait(Math.min(MOST_RECOVERY_MS, used.burst / used.refillPerSecond * 1e3), run);
    }
    run.signal.throwIfAborted();
    return isOfAddress ? { first: { ...first, owner: "ip" }, address: null } : { first, address };
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ConnectError) return null;
    throw error;
  }
}

/**
 * Calls until one is refused, then finds how fast the budget refills; `null`: none was refused.
 *
 * @param most maximum calls before the first refusal
 */
async function findLimit(options: BudgetProbeOptions, most: number): Promise<FoundLimit | null> {
  const { clock, callsPerSession } = options;
  await using probe = new BudgetProbe(options);
  const startNs = clock.nowNs();
  await probe.callUntilRefused(most, startNs + MOST_MS * 1e6);
  if (probe.firstRefusal === null) return null;
  const { call: { errorMessage: message, endedNs }, after } = probe.firstRefusal;
  let refillPerSecond = await saidRefill(options, probe);
  if (refillPerSecond === null) {
    await probe.measure(most, REFILL_WAIT_MS);
    // The lower bound, to stay under the limit.
    refillPerSecond = probe.fit?.refillPerSecond[0] ?? 0;
  }
  // The burst excludes what was refilled during it.
  const refilled = refillPerSecond * (endedNs - startNs) / 1e9;
  return {
    owner: callsPerSession === null ? readLimitOwner(message) ?? "session" : "ip",
    atCall: after + 1,
    message,
    burst: Math.max(1, Math.ceil(after - refilled)),
    refillPerSecond,
  };
}

/**
 * Refill rate by the server's own "retry after"; `null`: it does not say. That is rounded, and too
 * short if part of the interval has passed. Hence the longest of several counts, each right after
 * the budget was used up.
 */
async function saidRefill(
  options: BudgetProbeOptions,
  probe: BudgetProbe,
): Promise<number | null> {
  const said = () => readRetryAfter(probe.lastRefusal!.errorMessage) ?? 0;
  let seconds = said();
  if (seconds === 0) return null;
  for (let round = 0; round < WORD_ROUNDS && seconds * 1e3 <= CALL_MS; round++) {
    await wait(seconds * 1e3, options);
    options.signal.throwIfAborted();
    await probe.callUntilRefused(RETRIED_CALLS);
    seconds = Math.max(seconds, said());
  }
  return 1 / seconds;
}
