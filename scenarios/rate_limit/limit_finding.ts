import { readLimitOwner } from "../../lib/client/limiter_words.ts";
import type { Target } from "../../lib/client/target.ts";
import { BudgetProbe, measureBudget, OWN_SHARE, type RowEnd } from "../../lib/run/budget_probe.ts";
import type { BudgetOwner } from "../../lib/run/expected_limits.ts";
import { freshAddress } from "../../lib/run/fresh_address.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";

/** Where to look for a limit, and how far. */
export interface LimitSearch {
  target: Target;
  /** Maximum calls in a row. */
  most: number;
  /** Total wait for refills. */
  waitMs: number;
}

/** The budget of an owner, and the calls that show it. */
export interface Finding {
  owner: BudgetOwner;
  probe: BudgetProbe;
  end: RowEnd;
}

/** Result of {@linkcode measureSession}. */
export type SessionFinding = Awaited<ReturnType<typeof measureSession>>;

/**
 * Measures the budget of one session. `other` is then a call of another session from the same
 * address, which shows whose limit it was. `isOpenAfterwards`: true if the connection was still
 * open some time after the first refusal, `null` if nothing was refused.
 */
export async function measureSession(
  context: ScenarioContext,
  { target, most, waitMs }: LimitSearch,
) {
  const { ledger, workload, signal } = context;
  const probe = new BudgetProbe(context);
  await using stack = new AsyncDisposableStack();
  const as = await freshAddress(target, stack);
  const credentials = target.newCredentials();
  const connect = () => target.connect(ledger, { ...as, credentials });
  let connection = await connect();
  stack.defer(async () => void await connection.close());
  let isOpenAfterwards: boolean | null = null;
  const row = async () => {
    if (probe.firstRefusal !== null) {
      isOpenAfterwards ??= connection.isOpen;
      // The October build sends no frame twice on a connection, so not an equal refusal either.
      if (target.sessionsOutlive) {
        await connection.close();
        connection = await connect();
      }
    }
    return await probe.callUntilRefused(connection, most);
  };
  const callFromOther = async () => {
    await using fresh = await target.connect(ledger, as);
    return await fresh.call(workload());
  };
  const end = await measureBudget(context, { probe, row, waitMs });
  const other = probe.firstRefusal === null ? null : await callFromOther();
  signal.throwIfAborted();
  const seen: BudgetOwner = other?.status === "rateLimited" ? "ip" : "session";
  const owner = readLimitOwner(probe.firstRefusal?.call.errorMessage ?? "") ?? seen;
  return { owner, probe, end, isOpenAfterwards: isOpenAfterwards as boolean | null, other };
}

/** Measures the budget of an address with consecutive sessions, each using part of its own. */
export async function measureAddress(
  context: ScenarioContext,
  { target, most, waitMs, session }: LimitSearch & { session: SessionFinding },
): Promise<Finding> {
  const probe = new BudgetProbe(context);
  const ownBurst = session.probe.fit?.capacity[0] ?? session.probe.accepted;
  const each = Math.max(1, Math.floor(OWN_SHARE * ownBurst));
  await using stack = new AsyncDisposableStack();
  const as = await freshAddress(target, stack);
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
  const row = async () => {
    let end: RowEnd = "bound";
    for (let left = most; end === "bound" && left > 0; left -= each) {
      await using connection = await target.connect(context.ledger, as);
      end = await probe.callUntilRefused(connection, Math.min(each, left));
    }
    return end;
  };
  const end = await measureBudget(context, { probe, row, waitMs });
  return { owner: "ip", probe, end };
}
