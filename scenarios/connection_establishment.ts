import { describeClose, isCleanClose } from "../lib/run/describe_end.ts";
import { noteOpenings } from "../lib/run/note_relay.ts";
import { CONNECT_MS } from "../lib/run/planned_time.ts";
import { LIGHT_PROFILES, type Procedure, TIMES } from "../lib/run/scenario.ts";
import { sampleSequential } from "../lib/stats/sampling.ts";

/** The scenario ends after this many consecutive failures. */
const FAILURE_LIMIT = 3;

export const connectionEstablishment: Procedure<{
  /** Measured connects in each epoch. */
  connects: number;
}> = {
  kind: "procedure",
  name: "connection-establishment",
  question: "How long does it take to open a session, and to close it?",
  metrics: {
    connect: TIMES,
    authenticate: TIMES,
    establish: TIMES,
    close: TIMES,
    coldEstablish: { kind: "scalar", unit: "ns", better: "lower" },
  },
  headline: { metric: "establish" },
  gates: [{ metric: "establish", statistics: ["p50"] }],
  profiles: LIGHT_PROFILES,
  takes: ({ connects }) => ({ epochMs: connects * CONNECT_MS }),
  defaults: {
    quick: { connects: 20 },
    standard: { connects: 50 },
    thorough: { connects: 100 },
    phase2: { connects: 10 },
  },

  async begin(context) {
    const { target, signal, parameters: { connects } } = context;
    const { name, open } = target.options.protocol;
    if (open(target.newCredentials()).read === null) {
      context.notMeasured("authenticate", `the ${name} protocol has no handshake of its own`);
    }
    noteOpenings(context);
    const failuresInRow: string[] = [];
    /** Opens and closes one session. Returns the nanoseconds of each step, `null` if it failed. */
    async function attempt() {
      try {
        const connection = await target.connect(context.ledger);
        const close = await connection.close();
        if (!isCleanClose(close)) throw new Error(describeClose(close));
        failuresInRow.length = 0;
        const { connectNs: connect, authenticateNs: authenticate, establishNs: establish } =
          connection.timing;
        return { connect, authenticate, establish, close: close.durationNs };
      } catch (error) {
        signal.throwIfAborted();
        failuresInRow.push((error as Error).message);
        return null;
      }
    }
    const tally = (seen: number, wanted: number, why: string | null) => {
      const name = "every connection opened and closed cleanly";
      context.tally({ kind: "opened", name, seen, wanted, why });
    };
    const first = await attempt();
    if (first === null) tally(0, 1, failuresInRow[0] ?? null);
    else context.scalar("coldEstablish", first.establish, { cold: true });

    return {
      async epoch() {
        let isWarm = false;
        let why: string | null = null;
        const establishedNs = await sampleSequential(async () => {
          if (signal.aborted || failuresInRow.length >= FAILURE_LIMIT) return Infinity;
          const times = await attempt();
          why ??= failuresInRow[0] ?? null;
          // mitata discards the first call, so only its failure is counted.
          if (times === null && !isWarm) tally(0, 1, why);
          if (isWarm) {
            for (const [step, ns] of Object.entries(times ?? {})) {
              // The time is 0 if the protocol has no handshake.
              if (step !== "authenticate" || ns > 0) context.distribution(step).record(ns);
            }
          }
          isWarm = true;
          return times?.establish ?? -1;
        }, { maxSamples: connects });
        const opened = establishedNs.length;
        tally(opened, connects, opened < connects ? why : null);
        if (failuresInRow.length >= FAILURE_LIMIT) return "stop";
      },
    };
  },
};
