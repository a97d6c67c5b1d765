import type { Call } from "../../lib/client/call.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import type { Connection, Message } from "../../lib/client/connection.ts";
import { brokenEquations, openLedger } from "../../lib/client/ledger.ts";
import { NO_CLOSE_FRAME } from "../../lib/client/socket.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import { addPayload } from "../../lib/run/workload.ts";

/** How often to check if a call has been sent. */
const LOOK_MS = 1;
/** A call of up to this many characters always counts as sent, as it fits into system buffers. */
const SENT_AT_ONCE = 65_536;

/** Result of a call on its own connection. */
interface Outcome {
  /**
   * `rateLimited` says nothing about the size. `notTaken`: the server did not read the whole call,
   * and neither an answer nor a close frame was seen. The native client reads no close frame while
   * it writes, so one may have been sent.
   */
  status: Call["status"] | "notTaken";
  said: string;
  /** True for an error reply and for close 1009 (message too large). */
  isRefusal: boolean;
}

/** `answersAfter`: a new connection served a call after one that was not served. */
type Trial = Outcome & { payloadBytes: number; answersAfter: boolean };

export const MIB = 2 ** 20;
export const KIB = 2 ** 10;
const TOO_LARGE = 1009;

/** `64 B`, `16 KiB`, `33 MiB`; `no payload` for 0. */
export function describeSize(bytes: number): string {
  if (bytes === 0) return "no payload";
  if (bytes % MIB === 0) return `${bytes / MIB} MiB`;
  return bytes % KIB === 0 ? `${bytes / KIB} KiB` : `${bytes} B`;
}

/**
 * Tries one call of each size, each on a new connection. A separate ledger counts these calls,
 * because they are expected to fail. It must reconcile too but is not part of the report.
 */
export function createSizeSearch(context: ScenarioContext) {
  const { target, workload, clock, signal } = context;
  const ledger = openLedger();
  const trials: Trial[] = [];
  const refusals = () => trials.filter(({ status }) => status !== "ok" && status !== "rateLimited");

  async function attempt(opened: Connection, message: Message): Promise<Outcome> {
    await using connection = opened;
    let unsentBytes = 0;
    let cancel = () => {};
    const look = () => {
      unsentBytes = connection.unsentBytes ?? unsentBytes;
      cancel = clock.after(LOOK_MS, look);
    };
    const ending = connection.call(message);
    look();
    const { status, errorCode, errorMessage } = await ending.finally(() => cancel());
    const isSent = unsentBytes === 0 || message.argsJson.length <= SENT_AT_ONCE;
    const close = status === "connectionLost" ? await connection.closed : null;
    if (!isSent && (status === "timeout" || close?.code === NO_CLOSE_FRAME)) {
      const said = "the server stopped reading the request";
      return { status: "notTaken", said, isRefusal: false };
    }
    if (close !== null) {
      const said = `close ${close.code} ${close.reason}`.trim();
      return { status, said, isRefusal: close.code === TOO_LARGE };
    }
    const said = status === "timeout"
      ? "neither answered nor closed"
      : [errorCode, errorMessage].filter(Boolean).join(": ");
    return { status, said, isRefusal: status === "toolError" };
  }

  function checkRefusals(): void {
    const seen = refusals().filter(({ status }) => status !== "notTaken");
    const unseen = refusals().find(({ status }) => status === "notTaken");
    if (unseen !== undefined) {
      context.notMeasured(
        `how ${describeSize(unseen.payloadBytes)} are refused`,
        "the server stopped reading the request halfway, and the client sees no close frame " +
          "until it has sent the whole request",
      );
    }
    if (seen.length > 0) {
      context.check({
        kind: "largeRefused",
        name: "a request that is too large is refused",
        passed: seen.every(({ isRefusal }) => isRefusal),
        expected: "an error for that call or close 1009",
        observed: seen.map(({ payloadBytes, said }) => `${describeSize(payloadBytes)}: ${said}`)
          .join("; "),
      });
    }
    context.tally({
      kind: "answersAfterRefusal",
      name: "a new connection answers after each refusal",
      seen: refusals().filter(({ answersAfter }) => answersAfter).length,
      wanted: refusals().length,
    });
  }

  function checkLedger(): void {
    const { sent, ok, toolError, rateLimited, timeout, connectionLost } = ledger;
    const broken = brokenEquations(ledger);
    const told = Object.entries({ ok, toolError, rateLimited, timeout, connectionLost })
      .filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
    context.check({
      kind: "limitSearchReconciles",
      name: "the calls that look for the limit reconcile",
      passed: broken.length === 0,
      expected: "every call and every frame counted once",
      observed: broken.length === 0 ? `${sent} sent: ${told.join(", ")}` : broken.join("; "),
    });
  }

  return {
    /**
     * Tests if a payload of this size is served; if not, tries a new connection afterwards. Call it
     * with ascending sizes.
     *
     * @throws {ConnectError} if no connection opens
     * @throws the signal's reason if the run is interrupted
     */
    async isServed(payloadBytes: number): Promise<boolean> {
      const message = addPayload(workload, payloadBytes)();
      const outcome = await attempt(await target.connect(ledger), message);
      signal.throwIfAborted();
      const trial = { payloadBytes, ...outcome, answersAfter: false };
      trials.push(trial);
      if (outcome.status === "ok") return true;
      if (outcome.status === "rateLimited") return false;
      const again = await target.tryConnect(ledger);
      trial.answersAfter = !(again instanceof ConnectError) &&
        (await attempt(again, workload())).status === "ok";
      signal.throwIfAborted();
      return false;
    },

    /** The last trial. */
    get latest(): Trial | undefined {
      return trials.at(-1);
    },

    /** Records the sizes around the limit, which are known by that name, and how it is enforced. */
    record(limit: string): void {
      const [first] = refusals();
      const { payloadBytes: most, status, said } = trials.at(-1)!;
      const below = first?.payloadBytes ?? Infinity;
      const served = trials.findLast((one) => one.status === "ok" && one.payloadBytes < below)!;
      const one = { ci95: null };
      context.scalar("largestServed", served.payloadBytes, one);
      if (first !== undefined) {
        context.scalar("smallestRefused", first.payloadBytes, one);
        checkRefusals();
      } else {
        context.notMeasured(
          limit,
          status === "rateLimited"
            ? `refused because of load: ${said}`
            : `every request up to ${describeSize(most)} was served`,
        );
      }
      checkLedger();
    },
  };
}
