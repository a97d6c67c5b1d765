import { readLimitOwner } from "../../lib/client/limiter_words.ts";
import type { Target } from "../../lib/client/target.ts";
import { BudgetProbe, measureBudget, type RowEnd } from "../../lib/run/budget_probe.ts";
import type { BudgetOwner } from "../../lib/run/expected_limits.ts";
import { freshAddress } from "../../lib/run/fresh_address.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";

/** Each of several sessions uses at most this share of its own budget. */
const OWN_SHARE = 0.8;

/** Where and how far a limit is looked for. */
export interface LimitSearch {
  target: Target;
  /** The most calls in a row. */
  most: number;
  /** How long to wait for refills, all waits together, in milliseconds. */
  waitMs: number;
}

/** What is known of an owner's budget, and from which calls. */
export interface Finding {
  owner: BudgetOwner;
  probe: BudgetProbe;
  end: RowEnd;
}

/** What one session found. */
export type SessionFinding = Awaited<ReturnType<typeof measureSession>>;

/**
 * One session until it is refused; another one, from the same address, then shows whose limit that was: `other` is its
 * call. `isOpenAfterwards`: was the connection still open some time after the first refusal? `null`: nothing was refused.
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
      // The same refusal in the same words may not be sent on the same connection again.
      if (target.sessionsOutlive) {
        await connection.close();
        connection = await connect();
      }
    }
    return await probe.callUntilRefused(connection, most);
  };
  const callAnew = async () => {
    await using fresh = await target.connect(ledger, as);
    return await fresh.call(workload());
  };
  const end = await measureBudget(context, { probe, row, waitMs });
  const other = probe.firstRefusal === null ? null : await callAnew();
  signal.throwIfAborted();
  const seen: BudgetOwner = other?.status === "rateLimited" ? "ip" : "session";
  const owner = readLimitOwner(probe.firstRefusal?.call.errorMessage ?? "") ?? seen;
  return { owner, probe, end, isOpenAfterwards: isOpenAfterwards as boolean | null, other };
}

/** Sessions one after the other, each using a part of its own budget, until one is refused all the same. */
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
        "the budget of the IP address is only right if none of it was used when the scenario began: " +
        "run it alone, with no other client of that address",
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
