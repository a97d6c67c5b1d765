import { wait } from "../lib/load/pace.ts";
import { probeRejection } from "../lib/client/rejection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  LIGHT_PROFILES,
  type Parameters,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";

interface ReconnectionParameters extends Parameters {
  /** Disconnects in each round. */
  cycles: number;
  /** From the end of the old connection to the dial of the new one. */
  pauseMs: number;
}

type Context = ScenarioContext<ReconnectionParameters>;

export const reconnection: Scenario<ReconnectionParameters> = {
  name: "reconnection",
  question: "After a clean disconnect, how soon does a client get good replies again?",
  metrics: {
    close: TIMES,
    reconnect: TIMES,
    recovery: TIMES,
  },
  profiles: LIGHT_PROFILES,
  defaults: {
    quick: { rounds: 5, cycles: 2, pauseMs: 20 },
    standard: { rounds: 10, cycles: 4, pauseMs: 100 },
    thorough: { rounds: 20, cycles: 5, pauseMs: 500 },
    phase2: { rounds: 5, cycles: 1, pauseMs: 500 },
  },

  async run(context) {
    const { rounds, cycles } = context.parameters;
    const close = context.distribution("close");
    const reconnect = context.distribution("reconnect");
    const recovery = context.distribution("recovery");
    const counts = { closed: 0, recovered: 0 };
    await context.watched(() =>
      forEachRound(context, {
        recorders: [close, reconnect, recovery],
        round: async () => {
          for (let cycle = 0; cycle < cycles; cycle++) {
            const times = await reconnectOnce(context);
            if (times === null) return "stop";
            close.record(times.closeNs);
            reconnect.record(times.reconnectNs);
            counts.closed += times.clean ? 1 : 0;
            if (times.recoveryNs === null) return "stop";
            recovery.record(times.recoveryNs);
            counts.recovered++;
          }
        },
      })
    );
    const wanted = rounds * cycles;
    checkAll(context, "every close clean (1000)", { wanted, seen: counts.closed });
    checkAll(context, "a good reply after every reconnect", { wanted, seen: counts.recovered });
    await checkOldStateGone(context);
    return { status: "measured" };
  },
};

/**
 * Connect, one call, close, pause, connect, one call. `recoveryNs` runs from the beginning of the
 * close to the first good reply, the pause included. `null` where the old session had no good reply.
 */
async function reconnectOnce(context: Context): Promise<
  { closeNs: number; clean: boolean; reconnectNs: number; recoveryNs: number | null } | null
> {
  const { target, ledger, workload, clock, signal, parameters: { pauseMs } } = context;
  await using old = await target.connect(ledger);
  const before = await old.call(workload());
  const closeBegunNs = clock.nowNs();
  const { code, durationNs } = await old.close();
  if (before.status !== "ok") return null;
  await wait(pauseMs, { clock, signal });
  await using renewed = await target.connect(ledger);
  const after = await renewed.call(workload());
  return {
    closeNs: durationNs,
    clean: code === 1000,
    reconnectNs: renewed.timing.establishNs,
    recoveryNs: after.status === "ok" ? after.endedNs - closeBegunNs : null,
  };
}

function checkAll(
  context: Context,
  name: string,
  { wanted, seen }: { wanted: number; seen: number },
): void {
  const expected = `${wanted} of ${wanted}`;
  context.check({ name, passed: seen === wanted, expected, observed: `${seen} of ${wanted}` });
}

/**
 * The session must end with its connection: a new one that goes on under the old session's id, without
 * a handshake of its own, must be turned away.
 */
async function checkOldStateGone(context: Context): Promise<void> {
  const { target, ledger, workload } = context;
  const name = "the old session's state is gone";
  const { protocol } = target.options;
  const credentials = target.newCredentials();
  if (protocol.rejections(credentials).length === 0) {
    return context.notMeasured(
      name,
      `the ${protocol.name} protocol does not turn away who has not shaken hands`,
    );
  }
  const old = await target.connect(ledger, { credentials });
  await old.close();
  const { tool, argsJson } = workload();
  const rejection = await probeRejection(target, {
    first: protocol.encodeCall(`${credentials.sessionId}-stale`, tool, argsJson),
  });
  context.signal.throwIfAborted();
  context.check({
    name,
    passed: rejection.close !== null && rejection.results === 0,
    expected: "a call without a new handshake is turned away",
    observed: rejection.close === null
      ? `${rejection.results} results, the connection stayed open`
      : `${rejection.results} results, closed with ${rejection.close.code} ${rejection.close.reason}`,
  });
}
