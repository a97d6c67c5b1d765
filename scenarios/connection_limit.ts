import { ConnectError } from "../lib/client/connect_error.ts";
import type { Connection } from "../lib/client/connection.ts";
import { wait } from "../lib/load/pace.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  LIGHT_PROFILES,
  type Parameters,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";

interface ConnectionLimitParameters extends Parameters {
  /** The most connections to hold at once, whether or not the server refuses any. */
  bound: number;
}

type Context = ScenarioContext<ConnectionLimitParameters>;

/** Another address of this machine, to tell a limit for each address from one for all. */
const OTHER_ADDRESS = "127.0.0.2";
/** How long a closed connection's slot may take to be free, in milliseconds, and how often to look. */
const SLOT_WAIT_MS = 5_000;
const SLOT_POLL_MS = 1;

export const connectionLimit: Scenario<ConnectionLimitParameters> = {
  name: "connection-limit",
  question: "How many connections does the server hold, and how does it refuse one more?",
  metrics: {
    rejection: TIMES,
    slotRelease: TIMES,
    limit: { kind: "scalar", unit: "connections", better: null },
  },
  profiles: LIGHT_PROFILES,
  defaults: {
    quick: { rounds: 2, bound: 64 },
    standard: { rounds: 5, bound: 64 },
    thorough: { rounds: 10, bound: 256 },
    phase2: { rounds: 5, bound: 64 },
  },

  async run(context) {
    const rejection = context.distribution("rejection");
    const slotRelease = context.distribution("slotRelease");
    const seen: RoundResult[] = [];
    await context.watched(() =>
      forEachRound(context, {
        recorders: [rejection, slotRelease],
        round: async (index) => {
          const result = await measureRound(context, { tellApart: index === 0 });
          seen.push(result);
          if (result.refusal === null) return "stop";
          context.scalar("limit", result.held);
          rejection.record(result.refusal.elapsedNs);
          if (result.slotReleaseNs === null) return "stop";
          slotRelease.record(result.slotReleaseNs);
        },
      })
    );
    recordChecks(context, seen);
    return { status: "measured" };
  },
};

/** How a connection too many was refused. */
interface Refusal {
  error: ConnectError;
  elapsedNs: number;
}

interface RoundResult {
  /** Connections held when the refusal came. */
  held: number;
  refusal: Refusal | null;
  /** How many of those held still answered a call after the refusal. */
  answering: number;
  /** From the end of one connection to the opening of the next; `null` if none could be opened. */
  slotReleaseNs: number | null;
  /** Whether another address was let in at the limit; `null` where it was not tried. */
  otherAddress: "accepted" | "refused" | { untried: string } | null;
}

async function measureRound(
  context: Context,
  { tellApart }: { tellApart: boolean },
): Promise<RoundResult> {
  await using stack = new AsyncDisposableStack();
  const { held, refusal } = await fill(context, stack);
  const answering = await countAnswering(context, held);
  if (refusal === null) {
    return { held: held.length, refusal, answering, slotReleaseNs: null, otherAddress: null };
  }
  const otherAddress = tellApart ? await tryOtherAddress(context) : null;
  const slotReleaseNs = await timeSlotRelease(context, { leaving: held[0], stack, refusal });
  return { held: held.length, refusal, answering, slotReleaseNs, otherAddress };
}

/** Opens connections until one is refused, or the bound. */
async function fill(
  context: Context,
  stack: AsyncDisposableStack,
): Promise<{ held: Connection[]; refusal: Refusal | null }> {
  const held: Connection[] = [];
  stack.defer(async () => {
    await Promise.allSettled(held.map((connection) => connection.close()));
  });
  while (held.length < context.parameters.bound) {
    const startNs = context.clock.nowNs();
    try {
      held.push(await context.target.connect(context.ledger));
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof ConnectError) || !isRefusal(error)) throw error;
      return { held, refusal: { error, elapsedNs: context.clock.nowNs() - startNs } };
    }
  }
  return { held, refusal: null };
}

/** Whether the server answered, and said no: one that cannot be reached refuses nothing. */
function isRefusal({ failure, details }: ConnectError): boolean {
  return details.closeCode !== undefined || failure === "httpStatus";
}

async function countAnswering(context: Context, held: readonly Connection[]): Promise<number> {
  let answering = 0;
  for (const connection of held) {
    if (!connection.isOpen) continue;
    const { status } = await connection.call(context.workload());
    if (status === "ok") answering++;
  }
  return answering;
}

async function tryOtherAddress(context: Context): Promise<RoundResult["otherAddress"]> {
  if (!context.target.isLoopback) return { untried: "the server is not on this machine" };
  using client = context.target.clientFrom(OTHER_ADDRESS);
  try {
    await using _connection = await context.target.connect(context.ledger, { client });
    return "accepted";
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ConnectError)) throw error;
    return error.failure === "connectionLimit"
      ? "refused"
      : { untried: `no connection from ${OTHER_ADDRESS}: ${error.message}` };
  }
}

/** Ends one connection and tries to open another until it is no longer refused in the same way. */
async function timeSlotRelease(
  context: Context,
  { leaving, stack, refusal }: {
    leaving: Connection | undefined;
    stack: AsyncDisposableStack;
    refusal: Refusal;
  },
): Promise<number | null> {
  const { clock, target, ledger, signal } = context;
  if (leaving === undefined) return null;
  const { atNs } = await leaving.close();
  while (clock.nowNs() - atNs < SLOT_WAIT_MS * 1e6) {
    try {
      stack.use(await target.connect(ledger));
      return clock.nowNs() - atNs;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectError) || error.failure !== refusal.error.failure) throw error;
      await wait(SLOT_POLL_MS, { clock, signal });
    }
  }
  return null;
}

function recordChecks(context: Context, seen: readonly RoundResult[]): void {
  const refusals = seen.flatMap(({ refusal }) => refusal ?? []);
  const held = seen.reduce((sum, round) => sum + round.held, 0);
  const answering = seen.reduce((sum, round) => sum + round.answering, 0);
  context.check({
    name: "established connections unharmed",
    passed: held > 0 && answering === held,
    expected: `${held} of ${held} still answer`,
    observed: `${answering} of ${held} still answer`,
  });
  if (refusals.length === 0) {
    const { bound } = context.parameters;
    return context.notMeasured("limit", `no connection was refused up to ${bound} at once`);
  }
  const wrong = refusals.find(({ error: { details } }) =>
    details.closeCode !== 1008 || !details.closeReason
  );
  const shown = (wrong ?? refusals[0])!.error;
  context.check({
    name: "refused with 1008 and a reason",
    passed: wrong === undefined,
    expected: "close 1008 with a reason",
    observed: shown.details.closeCode === undefined
      ? shown.message
      : `close ${shown.details.closeCode} ${shown.details.closeReason}`,
  });
  checkSlots(context, seen);
  noteKind(context, seen[0]!.otherAddress);
}

function checkSlots(context: Context, seen: readonly RoundResult[]): void {
  const freed = seen.filter(({ slotReleaseNs }) => slotReleaseNs !== null).length;
  context.check({
    name: "a closed connection's slot is free again",
    passed: freed === seen.length,
    expected: `${seen.length} of ${seen.length} within ${SLOT_WAIT_MS / 1000} s`,
    observed: `${freed} of ${seen.length}`,
  });
}

/** Says whether the limit is for each address or for all; either is right. */
function noteKind(context: Context, otherAddress: RoundResult["otherAddress"]): void {
  if (otherAddress === null) return;
  if (typeof otherAddress === "object") {
    return context.notMeasured("kind of limit", otherAddress.untried);
  }
  context.note(
    otherAddress === "accepted"
      ? `the limit is for each IP address: at the limit, a client from ${OTHER_ADDRESS} was accepted`
      : `the limit is for all clients together: at the limit, one from ${OTHER_ADDRESS} was refused too`,
  );
}
