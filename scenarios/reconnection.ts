import { probeRejection } from "../lib/client/rejection.ts";
import { wait } from "../lib/load/pace.ts";
import { counted, describeClose, describeFailure, isCleanClose } from "../lib/run/describe_end.ts";
import { noteOpenings } from "../lib/run/note_relay.ts";
import { CONNECT_MS } from "../lib/run/planned_time.ts";
import { LIGHT_PROFILES, type Procedure, TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Disconnects in each epoch. */
  cycles: 4,
  /** Pause between the old connection and the new one. Not part of any metric. */
  pauseMs: 100,
};

export const reconnection: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "reconnection",
  question: "After a clean disconnect, how soon does a client get good replies again?",
  metrics: { close: TIMES, reconnect: TIMES, recovery: TIMES },
  headline: { metric: "recovery" },
  gates: [{ metric: "recovery", statistics: ["p50"] }],
  profiles: LIGHT_PROFILES,
  takes: ({ cycles, pauseMs }) => ({ epochMs: cycles * (pauseMs + 2 * CONNECT_MS) }),
  defaults: {
    quick: { cycles: 2, pauseMs: 20 },
    standard: STANDARD,
    thorough: { cycles: 5, pauseMs: 500 },
    phase2: { cycles: 1, pauseMs: 500 },
  },

  begin(context) {
    const { target, workload, clock, parameters: { cycles, pauseMs } } = context;
    noteOpenings(context);

    /** Connects, calls, closes, pauses, connects, calls. Returns true if both calls were served. */
    async function reconnectOnce(): Promise<boolean> {
      const { ledger } = context;
      await using old = await target.connect(ledger);
      const before = await old.call(workload());
      if (before.status !== "ok") return false; // The checks of the ledger report it.
      const lostNs = clock.nowNs();
      const close = await old.close();
      const closedNs = clock.nowNs();
      context.distribution("close").record(close.durationNs);
      context.tally({
        kind: "closedCleanly",
        name: "every close clean (1000)",
        why: isCleanClose(close) ? null : describeClose(close),
      });
      await wait(pauseMs, context);
      const dialledNs = clock.nowNs();
      await using renewed = await target.connect(ledger);
      const after = await renewed.call(workload());
      context.distribution("reconnect").record(renewed.timing.establishNs);
      const why = after.status === "ok" ? null : await describeFailure(after, renewed);
      context.tally({ kind: "recovered", name: "a good reply after every reconnect", why });
      if (why !== null) return false;
      context.distribution("recovery").record(closedNs - lostNs + after.endedNs - dialledNs);
      return true;
    }

    return {
      async epoch() {
        for (let cycle = 0; cycle < cycles; cycle++) if (!await reconnectOnce()) return "stop";
      },
      /**
       * Checks that the session ends with its connection: a new connection that uses the old
       * session's id without a handshake must be turned away.
       */
      async conclude() {
        const { protocol } = target.options;
        const name = "the old session's state is gone";
        const credentials = target.newCredentials();
        if (protocol.rejections(credentials).length === 0) {
          return context.notMeasured(
            name,
            `the ${protocol.name} protocol does not turn away a client that skips the handshake`,
          );
        }
        const old = await target.connect(context.ledger, { credentials });
        await old.close();
        const { tool, argsJson } = workload();
        const { close, results } = await probeRejection(target, {
          first: protocol.encodeCall(`${credentials.sessionId}-stale`, tool, argsJson),
        });
        context.signal.throwIfAborted();
        const end = close === null ? "the connection stayed open" : describeClose(close);
        context.check({
          kind: "sessionEnded",
          name,
          passed: close !== null && results === 0,
          expected: "a call without a new handshake is turned away",
          observed: `${counted(results, "result")}, ${end}`,
        });
      },
    };
  },
};
