import type { Call } from "../lib/client/call.ts";
import { ConnectError } from "../lib/client/connect_error.ts";
import type { Connection } from "../lib/client/connection.ts";
import { SILENCE_LIMIT } from "../lib/load/closed.ts";
import { wait } from "../lib/load/pace.ts";
import { counted, describeClose, describeFailure } from "../lib/run/describe_end.ts";
import { fillServer } from "../lib/run/fill_server.ts";
import { OTHER_ADDRESS } from "../lib/run/fresh_address.ts";
import { CONNECT_MS } from "../lib/run/planned_time.ts";
import { LIGHT_PROFILES, type Procedure, TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Maximum connections to hold at once. */
  bound: 64,
};

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
    const { target, clock, signal, workload, parameters: { bound } } = context;

    /**
     * Makes a call on each held connection.
     *
     * @throws {Error} if several calls in a row time out, instead of waiting for the remaining ones
     */
    async function checkHeld(held: readonly Connection[]): Promise<void> {
      let unansweredInRow = 0;
      for (const [index, connection] of held.entries()) {
        const call = connection.isOpen ? await connection.call(workload()) : null;
        signal.throwIfAborted();
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
    async function noteScope(): Promise<void> {
      const name = "scope of the limit";
      if (!target.isLoopback) return context.notMeasured(name, "the server is not on this machine");
      using client = target.clientFrom(OTHER_ADDRESS);
      const opened = await target.tryConnect(context.ledger, { client });
      const found = (scope: string, limit: string, seen: string) => {
        const message =
          `the limit is ${limit}: at the limit, a client from ${OTHER_ADDRESS} ${seen}`;
        context.note({ kind: "limitScope", scope, message });
      };
      if (!(opened instanceof ConnectError)) {
        await opened.close();
        found("address", "per IP address", "was accepted");
      } else if (opened.isRefusal) found("all", "for all clients together", "was refused too");
      else context.notMeasured(name, `no connection from ${OTHER_ADDRESS}: ${opened.message}`);
    }

    /** Closes one connection, then retries until another opens; `false`: not in time. */
    async function timeSlotRelease(held: Connection[], refusal: ConnectError): Promise<boolean> {
      const { atNs } = await held[0]!.close();
      while (clock.nowNs() - atNs < SLOT_WAIT_MS * 1e6) {
        const opened = await target.tryConnect(context.ledger);
        if (!(opened instanceof ConnectError)) {
          context.distribution("slotRelease").record(clock.nowNs() - atNs);
          held.push(opened);
          return true;
        }
        if (opened.failure !== refusal.failure) throw opened;
        await wait(SLOT_POLL_MS, context);
      }
      return false;
    }

    return {
      async epoch() {
        const { ledger } = context;
        await using stack = new AsyncDisposableStack();
        const { held, refusal, elapsedNs } = await fillServer(context, { bound, ledger, stack });
        await checkHeld(held);
        if (refusal === null || refusal.failure === "clientLimit") {
          const why = refusal === null ? "" : `; ${refusal.message}`;
          const open = `${counted(held.length, "connection")} open${why}`;
          context.notMeasured("limit", `no refusal with ${open}`);
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
        if (context.epoch === 1) await noteScope();
        const isFree = await timeSlotRelease(held, refusal);
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
