import type { Call } from "../lib/client/call.ts";
import { ConnectError } from "../lib/client/connect_error.ts";
import type { Connection } from "../lib/client/connection.ts";
import { SILENCE_LIMIT } from "../lib/load/closed.ts";
import { wait } from "../lib/load/pace.ts";
import { counted, describeClose, describeFailure } from "../lib/run/describe_end.ts";
import { fillServer } from "../lib/run/fill_server.ts";
import { OTHER_ADDRESS } from "../lib/run/fresh_address.ts";
import { CONNECT_MS } from "../lib/run/planned_time.ts";
import type { Procedure, ScenarioContext } from "../lib/run/scenario.ts";
import { LIGHT_PROFILES, TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Maximum connections to hold at once. */
  bound: 64,
};

type Context = ScenarioContext<typeof STANDARD>;

/** Time limit for a closed connection's slot to become free. */
const SLOT_WAIT_MS = 5_000;
const SLOT_POLL_MS = 1;
const ANSWERS: readonly Call["status"][] = ["ok", "toolError", "rateLimited"];

export const connectionLimit: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "connection-limit",
  question: "How many connections does the server accept, and how does it refuse one more?",
  metrics: {
    rejection: TIMES,
    slotRelease: TIMES,
    limit: { kind: "scalar", unit: "connections", better: null },
  },
  headline: { metric: "limit" },
  profiles: LIGHT_PROFILES,
  takes: () => ({ epochMs: 10 * CONNECT_MS }),
  fillsServer: true,
  defaults: { standard: STANDARD, thorough: { bound: 256 } },
  warmsUp: false,

  begin(context) {
    const { target, parameters: { bound } } = context;
    return {
      async epoch() {
        const { ledger } = context;
        await using stack = new AsyncDisposableStack();
        const { held, refusal, elapsedNs } = await fillServer(context, { bound, ledger, stack });
        await checkHeld(context, held);
        if (refusal === null || refusal.failure === "clientLimit") {
          const why = refusal === null ? "" : `; ${refusal.message}`;
          context.notMeasured(
            "limit",
            `no refusal with ${counted(held.length, "connection")} open${why}`,
          );
          return "stop";
        }
        context.scalar("limit", held.length);
        context.distribution("rejection").record(elapsedNs);
        const { message, details: { closeCode: code, closeReason: reason = "" } } = refusal;
        // EXAI specifies how to refuse. From other servers or a proxy any refusal passes.
        const isExai = target.options.protocol.name === "exai";
        context.check({
          kind: "refusal",
          name: "one connection too many is refused",
          passed: !isExai || (code === 1008 && reason !== ""),
          expected: isExai ? "close 1008 with a reason" : "a close or an HTTP status",
          observed: code === undefined ? message : describeClose({ code, reason }),
        });
        if (context.epoch === 1) await noteScope(context);
        const isFree = await timeSlotRelease(context, held[0]!, refusal, stack);
        context.tally({
          kind: "slotFree",
          name: `a closed connection's slot is free within ${SLOT_WAIT_MS / 1000} s`,
          seen: isFree ? 1 : 0,
        });
        if (!isFree) return "stop";
      },
    };
  },
};

/**
 * Makes a call on each held connection.
 *
 * @throws {Error} if several calls in a row time out, instead of waiting for the remaining timeouts
 */
async function checkHeld(context: Context, held: readonly Connection[]): Promise<void> {
  let unansweredInRow = 0;
  for (const [index, connection] of held.entries()) {
    const call = connection.isOpen ? await connection.call(context.workload()) : null;
    context.signal.throwIfAborted();
    // An error is an answer too. The check of error replies reports it.
    const isAnswered = call !== null && ANSWERS.includes(call.status);
    const why = isAnswered ? null : await describeFailure(call, connection);
    context.tally({ kind: "unharmed", name: "established connections still answer", why });
    unansweredInRow = call?.status === "timeout" ? unansweredInRow + 1 : 0;
    if (unansweredInRow < SILENCE_LIMIT) continue;
    const left = held.length - index - 1;
    throw new Error(
      `the server no longer answers calls: ${unansweredInRow} in a row timed out, ` +
        `${counted(left, "more connection")} ${left === 1 ? "was" : "were"} not tried`,
    );
  }
}

/** Notes if the limit is per address or for all clients. Both are valid. */
async function noteScope({ target, ledger, note, notMeasured }: Context): Promise<void> {
  const name = "scope of the limit";
  if (!target.isLoopback) return notMeasured(name, "the server is not on this machine");
  using client = target.clientFrom(OTHER_ADDRESS);
  const opened = await target.tryConnect(ledger, { client });
  const found = (scope: string, message: string) => note({ kind: "limitScope", scope, message });
  if (!(opened instanceof ConnectError)) {
    await opened.close();
    const seen = `a client from ${OTHER_ADDRESS} was accepted`;
    found("address", `the limit is per IP address: at the limit, ${seen}`);
  } else if (opened.isRefusal) {
    const seen = `a client from ${OTHER_ADDRESS} was refused too`;
    found("all", `the limit is for all clients together: at the limit, ${seen}`);
  } else {
    notMeasured(name, `no connection from ${OTHER_ADDRESS}: ${opened.message}`);
  }
}

/** Closes one connection, then retries until another opens; `false`: not within the time limit. */
async function timeSlotRelease(
  context: Context,
  leaving: Connection,
  refusal: ConnectError,
  stack: AsyncDisposableStack,
): Promise<boolean> {
  const { clock, target, ledger } = context;
  const { atNs } = await leaving.close();
  while (clock.nowNs() - atNs < SLOT_WAIT_MS * 1e6) {
    const opened = await target.tryConnect(ledger);
    if (!(opened instanceof ConnectError)) {
      stack.use(opened);
      context.distribution("slotRelease").record(clock.nowNs() - atNs);
      return true;
    }
    if (opened.failure !== refusal.failure) throw opened;
    await wait(SLOT_POLL_MS, context);
  }
  return false;
}
