import { ConnectError } from "../lib/client/connect_error.ts";
import { isAuthenticationOff, probeRejection, type Rejection } from "../lib/client/rejection.ts";
import { NO_CLOSE_FRAME } from "../lib/client/socket.ts";
import type { RejectionCase } from "../lib/protocols/protocol.ts";
import { counted, describeClose } from "../lib/run/describe_end.ts";
import { CONNECT_MS } from "../lib/run/planned_time.ts";
import { LIGHT_PROFILES, type Procedure, TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Valid sessions opened in each epoch. */
  accepts: 5,
  /** How long the server can take to drop a client that sends no hello; 0 skips that check. */
  noHelloWaitMs: 20_000,
};

/** The protocol's default. */
const HELLO_TIMEOUT_MS = 15_000;

export const authentication: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "authentication",
  question: "Which clients are accepted, how are others rejected, and how long does each take?",
  metrics: { accept: TIMES, reject: TIMES },
  headline: { metric: "accept" },
  gates: [{ metric: "accept", statistics: ["p50"] }],
  profiles: LIGHT_PROFILES,
  takes: ({ accepts, noHelloWaitMs }) => ({
    epochMs: (accepts + 6) * CONNECT_MS,
    besideMs: Math.min(noHelloWaitMs, HELLO_TIMEOUT_MS),
  }),
  defaults: {
    quick: { accepts: 2, noHelloWaitMs: 0 },
    standard: STANDARD,
    thorough: { ...STANDARD, accepts: 10 },
    phase2: { ...STANDARD, accepts: 1 },
  },

  async begin(context) {
    const { target, workload, parameters: { accepts, noHelloWaitMs } } = context;
    const { protocol } = target.options;
    const cases = protocol.rejections(target.newCredentials());
    if (cases.length === 0) {
      return { skipped: `the ${protocol.name} protocol has no authentication` };
    }
    if (await isAuthenticationOff(target, cases)) {
      return { skipped: "authentication is off: the server accepts any token" };
    }
    const silent = noHelloWaitMs > 0 && cases.find(({ first }) => first === null);
    if (!silent) {
      context.notMeasured(
        "no hello turned away",
        "takes the server's full hello timeout (15 s by default): use the standard profile",
      );
    }
    const loud = new Set(cases.filter(({ first }) => first !== null));
    let silentEnd: Rejection;

    /**
     * Sends a bad opening followed by a call that must not be served. A server that closes before
     * it reads the call resets the TCP connection, which can destroy the close frame. In that case
     * the opening is sent again without the call.
     */
    async function turnAway({ first }: RejectionCase): Promise<Rejection> {
      const { tool, argsJson } = workload();
      const id = `${target.newCredentials().sessionId}-0`;
      const then = protocol.encodeCall(id, tool, argsJson);
      const rejection = await probeRejection(target, { first, then });
      if (rejection.close?.code !== NO_CLOSE_FRAME) return rejection;
      const again = await probeRejection(target, { first });
      return { ...again, results: rejection.results + again.results };
    }

    function judge({ name, expected }: RejectionCase, rejection: Rejection): void {
      const { close, results, accepted } = rejection;
      context.signal.throwIfAborted();
      const isExpected = expected.some(({ code, reasons }) =>
        close?.code === code && reasons.includes(close.reason)
      );
      const closes = expected.map(({ code, reasons }) =>
        `${code} ${reasons.filter(Boolean).join(" or ")}`.trim()
      );
      const end = accepted ? "accepted" : close === null ? "not closed" : describeClose(close);
      context.check({
        kind: "turnedAway",
        name: `${name} turned away`,
        passed: isExpected && results === 0,
        expected: `no result, close ${closes.join(", or ")}`,
        observed: `${results === 0 ? "no result" : counted(results, "result")}, ${end}`,
      });
    }

    return {
      ...silent && {
        waiting: {
          what: "waiting for the server's hello timeout (15 s by default)",
          async until() {
            silentEnd = await probeRejection(target, { first: null, patienceMs: noHelloWaitMs });
          },
        },
      },
      async epoch() {
        for (let index = 0; index < accepts; index++) {
          const opened = await target.tryConnect(context.ledger);
          const why = opened instanceof ConnectError ? opened.message : null;
          context.tally({ kind: "accepted", name: "valid token accepted", why });
          if (opened instanceof ConnectError) continue;
          context.distribution("accept").record(opened.timing.authenticateNs);
          await opened.close();
        }
        for (const one of loud) {
          const rejection = await turnAway(one);
          judge(one, rejection);
          if (rejection.close !== null) {
            context.distribution("reject").record(rejection.elapsedNs);
          } else loud.delete(one); // The check has failed: another timeout would tell nothing.
        }
      },
      conclude() {
        if (silent) judge(silent, silentEnd);
      },
    };
  },
};
