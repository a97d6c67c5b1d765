/**
 * Looks for the server's rate limiter before anything is measured, so that the run stays under it.
 *
 * @module
 */

import { ConnectError } from "../client/connect_error.ts";
import { openLedger } from "../client/ledger.ts";
import { readLimitOwner, readRetryAfter } from "../client/limiter_words.ts";
import { type SessionOptions, Target } from "../client/target.ts";
import { wait } from "../load/pace.ts";
import type { RateLimit } from "../schema.ts";
import { BudgetProbe, measureBudget, type RowEnd } from "./budget_probe.ts";
import type { Budget, BudgetOwner } from "./expected_limits.ts";
import { freshAddress } from "./fresh_address.ts";
import { KEPT_SHARE } from "./rate_limit.ts";
import type { Run } from "./run.ts";
import { TargetUnusableError } from "./scenario.ts";

/** More than this a session may make at once, or in this time: no limit that would matter. */
const MOST_CALLS = 120;
const MOST_MS = 3_000;
/** How long one of its calls, and a wait that the server asks for, may take. */
const CALL_MS = 1_000;
const MOST_CALLS_OF_ADDRESS = 500;
/** Each of several sessions uses at most this share of its own budget. */
const OWN_SHARE = 0.8;
/** After a wait, as many calls are enough to be refused again. */
const RETRIED_CALLS = 5;
/** How long to wait for refills, all waits together, where the server does not say how fast it refills. */
const REFILL_WAIT_MS = 3_000;
/** How often a server that says when to retry is asked again: its words are rounded. */
const WORD_ROUNDS = 2;
/** An address whose budget the probe has used up gets this long, at most, to fill it again. */
const MOST_RECOVERY_MS = 10_000;
const FEWEST_PER_MINUTE = 20;

/** A limiter, and how fast it lets calls through when the burst is used up; 0: not seen to. */
export interface FoundLimit extends Budget {
  owner: BudgetOwner;
  atCall: number;
  message: string;
}

/** What a session ran into, and what several of one address do; `null`: nothing. */
interface FoundLimits {
  first: FoundLimit;
  address: FoundLimit | null;
}

/**
 * Finds the limiters of the servers and sets the rate of all runs to what the lowest of them allows. A rate that
 * the user has set stays. None of the calls is in any ledger.
 *
 * @throws {TargetUnusableError} if a limiter lets too few calls through to measure anything
 * @throws the signal's reason, if a run is interrupted
 */
export async function keepToLimits(runs: readonly Run[]): Promise<void> {
  const limits: RateLimit[] = [];
  for (const run of runs.filter(isPaced)) {
    const found = await probeLimits(run);
    if (found === null) continue;
    const { first, address } = found;
    run.rateLimit = {
      scenario: null,
      ...first,
      ...(address === null ? {} : { addressRefillPerSecond: address.refillPerSecond }),
      keptToPerSecond: keptRate(first, { sessions: mostSessions(run) }),
    };
    // Thrown for an address that leaves its sessions too little.
    if (address !== null) keptRate(address, { sessions: mostSessions(run) });
    limits.push(run.rateLimit);
  }
  const [lowest] = limits.toSorted((a, b) => a.keptToPerSecond! - b.keptToPerSecond!);
  if (lowest === undefined) return;
  const { keptToPerSecond } = lowest;
  const refill = Math.min(...limits.map((limit) => limit.addressRefillPerSecond ?? Infinity));
  for (const run of runs) {
    run.rateLimit = { ...(run.rateLimit ?? lowest), keptToPerSecond: keptToPerSecond! };
    run.settings = {
      ...run.settings,
      maxRatePerSecond: keptToPerSecond!,
      ...(refill < Infinity ? { addressRatePerSecond: KEPT_SHARE * refill } : {}),
    };
  }
}

/** Does the run have calls whose rate it may set? The bundled server has no limiter. */
function isPaced({ bundled, planned, settings: { maxRatePerSecond, ignoreLimits } }: Run): boolean {
  return bundled === null && maxRatePerSecond === null && !ignoreLimits &&
    planned.some(({ scenario, skip }) => scenario.kind === "cases" && skip === undefined);
}

/** The most sessions that call at once, and share the budget of an address. */
export function mostSessions({ planned }: Run): number {
  const counts = planned.flatMap(({ parameters: { connections } }) =>
    typeof connections === "number" ? connections : []
  );
  return Math.max(1, ...counts);
}

/**
 * The calls a second of each session that keep all of them under the limit: of two significant digits, so
 * that the same limit gives the same rate in the next run.
 *
 * @throws {TargetUnusableError} if they are too few
 */
export function keptRate(
  { owner, burst, refillPerSecond, message }: FoundLimit,
  { sessions }: { sessions: number },
): number {
  const kept = KEPT_SHARE * refillPerSecond / (owner === "ip" ? sessions : 1);
  if (60 * kept >= FEWEST_PER_MINUTE) return Number(kept.toPrecision(2));
  throw new TargetUnusableError(
    `The server's rate limiter is too tight to measure anything: it served ${burst} calls at once ` +
      `and then ${
        refillPerSecond.toPrecision(2)
      } a second ("${message}"), which leaves each of the ` +
      `${
        owner === "ip" && sessions > 1 ? `${sessions} sessions of an address` : "sessions"
      } fewer than ` +
      `${FEWEST_PER_MINUTE} a minute. Raise its limits (${
        owner === "ip" ? "RATE_LIMIT_IP_REFILL_RATE" : "RATE_LIMIT_USER_REFILL_RATE"
      }), or run into them with --ignore-limits.`,
  );
}

/** `null`: no call of a session was refused, or there is nothing to call. */
async function probeLimits(run: Run): Promise<FoundLimits | null> {
  const { options } = run.target;
  await using stack = new AsyncDisposableStack();
  // Of its own, so that its refusals are not those of the run.
  const target = stack.use(
    new Target({ ...options, timeoutMs: Math.min(options.timeoutMs, CALL_MS) }),
  );
  try {
    const as = await freshAddress(target, stack);
    const session = { ...as, credentials: target.newCredentials() };
    const first = await probeSession(run, target, session);
    if (first === null) return null;
    const address = mostSessions(run) > 1 || first.owner === "ip"
      ? await probeAddress(run, { target, as, each: Math.ceil(OWN_SHARE * first.burst) })
      : null;
    // One that a new session runs into at its first call is what the first session has used up.
    const found: FoundLimits = address?.atCall === 1 || first.owner === "ip"
      ? { first: { ...first, owner: "ip" }, address: null }
      : { first, address };
    const used = found.address ?? (found.first.owner === "ip" ? found.first : null);
    // The run has the budget of the same address.
    if (used !== null && used.refillPerSecond > 0 && as.client === undefined) {
      await wait(Math.min(MOST_RECOVERY_MS, used.burst / used.refillPerSecond * 1e3), run);
    }
    run.signal.throwIfAborted();
    return found;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ConnectError) return null;
    throw error;
  }
}

/** Calls one after the other until one is refused; `null`: none was. */
async function probeSession(
  run: Run,
  target: Target,
  session: SessionOptions,
): Promise<FoundLimit | null> {
  const open = () => target.connect(openLedger(), session);
  const probe = new BudgetProbe(run);
  await using connection = await open();
  const startNs = run.clock.nowNs();
  await probe.callUntilRefused(connection, MOST_CALLS, startNs + MOST_MS * 1e6);
  if (probe.firstRefusal === null) return null;
  const { call: { errorMessage } } = probe.firstRefusal;
  const refillPerSecond = await saidRefill(run, errorMessage, async (retry) => {
    if (!target.sessionsOutlive) return await retry.callUntilRefused(connection, RETRIED_CALLS);
    // The same refusal in the same words may not be sent on the same connection again.
    await connection.close();
    await using again = await open();
    return await retry.callUntilRefused(again, RETRIED_CALLS);
  }) ??
    await measuredRefill(run, {
      probe,
      row: () => probe.callUntilRefused(connection, MOST_CALLS),
    });
  return found(probe, {
    startNs,
    refillPerSecond,
    owner: readLimitOwner(errorMessage) ?? "session",
  });
}

/** Sessions one after the other, each using a part of its own budget; `null`: none was refused. */
async function probeAddress(
  run: Run,
  { target, as, each }: { target: Target; as: SessionOptions; each: number },
): Promise<FoundLimit | null> {
  const probe = new BudgetProbe(run);
  const startNs = run.clock.nowNs();
  const untilNs = startNs + MOST_MS * 1e6;
  const row = async (into: BudgetProbe, most: number) => {
    await using connection = await target.connect(openLedger(), as);
    return await into.callUntilRefused(connection, most, untilNs);
  };
  const isGoing = () => run.clock.nowNs() < untilNs && probe.accepted < MOST_CALLS_OF_ADDRESS;
  let end = await row(probe, each);
  while (end === "bound" && isGoing()) end = await row(probe, each);
  if (probe.firstRefusal === null) return null;
  const { call: { errorMessage } } = probe.firstRefusal;
  const refillPerSecond =
    await saidRefill(run, errorMessage, (retry) => row(retry, RETRIED_CALLS)) ??
      await measuredRefill(run, { probe, row: () => row(probe, each) });
  return found(probe, { startNs, refillPerSecond, owner: "ip" });
}

/** What a probe has run into. */
function found(
  { firstRefusal }: BudgetProbe,
  { startNs, refillPerSecond, owner }: {
    startNs: number;
    refillPerSecond: number;
    owner: BudgetOwner;
  },
): FoundLimit {
  const { call: { errorMessage: message, endedNs }, after } = firstRefusal!;
  // What was refilled meanwhile was no part of the burst.
  const refilled = refillPerSecond * (endedNs - startNs) / 1e9;
  const burst = Math.max(1, Math.ceil(after - refilled));
  return { owner, atCall: after + 1, message, burst, refillPerSecond };
}

/**
 * Calls a second by the server's words, which are rounded and say less than the whole interval where part of it has
 * passed: the longest of several, each right after the budget was used up. `null`: it does not say.
 */
async function saidRefill(
  run: Run,
  message: string,
  callAgain: (retry: BudgetProbe) => Promise<unknown>,
): Promise<number | null> {
  let seconds = readRetryAfter(message);
  if (seconds === null) return null;
  for (let round = 0; round < WORD_ROUNDS && seconds * 1e3 <= CALL_MS; round++) {
    await wait(seconds * 1e3, run);
    run.signal.throwIfAborted();
    const retry = new BudgetProbe(run);
    await callAgain(retry);
    const said = retry.firstRefusal?.call.errorMessage;
    seconds = Math.max(seconds, said === undefined ? 0 : readRetryAfter(said) ?? 0);
  }
  return 1 / seconds;
}

/** Calls a second as they were served again, or fewer; 0: none was. */
async function measuredRefill(
  run: Run,
  { probe, row }: { probe: BudgetProbe; row: () => Promise<RowEnd> },
): Promise<number> {
  await measureBudget(run, { probe, row, waitMs: REFILL_WAIT_MS });
  return probe.fit?.refillPerSecond[0] ?? 0;
}
