import { ConnectError } from "../../lib/client/connect_error.ts";
import type { Connection, Message } from "../../lib/client/connection.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
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
  kind: "served" | "error" | "rateLimited" | "closed" | "notTaken" | "silent" | "aborted";
  said: string;
  /** True for an error reply and for close 1009 (message too large). */
  isRefusal: boolean;
}

function outcome(kind: Outcome["kind"], said: string, isRefusal = false): Outcome {
  return { kind, said, isRefusal };
}

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
export class SizeLimitSearch {
  readonly #context: ScenarioContext;
  readonly #ledger = openLedger();
  /** Sizes that were not served. `answersAfter`: a new connection served a call afterwards. */
  readonly #refusals: { payloadBytes: number; outcome: Outcome; answersAfter: boolean }[] = [];
  #largestServed: number | null = null;
  #highest = 0;
  #rateLimited: string | null = null;
  /** True once larger sizes are pointless: the server closed or its rate limiter refused a call. */
  isOver = false;

  constructor(context: ScenarioContext) {
    this.#context = context;
  }

  /** Outcome of the first call that was not served; `null`: all were. */
  get firstRefusal(): Outcome | null {
    return this.#refusals[0]?.outcome ?? null;
  }

  /**
   * Tests if a payload of this size is served; if not, tries a new connection afterwards.
   *
   * @throws {ConnectError} if no connection opens
   * @throws the signal's reason if the run is interrupted
   */
  async isServed(payloadBytes: number): Promise<boolean> {
    const { target, workload, signal } = this.#context;
    const outcome = await this.#try(
      await target.connect(this.#ledger),
      addPayload(workload, payloadBytes)(),
    );
    signal.throwIfAborted();
    this.#highest = payloadBytes;
    if (outcome.kind === "served") {
      if (this.#refusals.length === 0) this.#largestServed = payloadBytes;
      return true;
    }
    this.isOver = outcome.kind !== "error";
    if (outcome.kind === "rateLimited") {
      this.#rateLimited = outcome.said;
      return false;
    }
    const again = await target.tryConnect(this.#ledger);
    const answersAfter = !(again instanceof ConnectError) &&
      (await this.#try(again, workload())).kind === "served";
    signal.throwIfAborted();
    this.#refusals.push({ payloadBytes, outcome, answersAfter });
    return false;
  }

  async #try(opened: Connection, message: Message): Promise<Outcome> {
    const { clock } = this.#context;
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
    const notTaken = outcome("notTaken", "the server stopped reading the request");
    const said = [errorCode, errorMessage].filter(Boolean).join(": ");
    switch (status) {
      case "ok":
        return outcome("served", "served");
      case "toolError":
        return outcome("error", said, true);
      case "rateLimited":
        return outcome("rateLimited", said);
      case "timeout":
        return isSent ? outcome("silent", "neither answered nor closed") : notTaken;
      case "connectionLost": {
        const { code, reason } = await connection.closed;
        if (code === NO_CLOSE_FRAME && !isSent) return notTaken;
        return outcome("closed", `close ${code} ${reason}`.trim(), code === TOO_LARGE);
      }
      case "aborted":
      case "outstanding":
        return outcome("aborted", "interrupted");
      default:
        return status satisfies never;
    }
  }

  /** Records the sizes around the limit and checks how it is enforced. */
  record(limit: string): void {
    const context = this.#context;
    const [first] = this.#refusals;
    const one = { ci95: null };
    if (this.#largestServed !== null) context.scalar("largestServed", this.#largestServed, one);
    if (first !== undefined) {
      context.scalar("smallestRefused", first.payloadBytes, one);
      this.#checkRefusals();
    } else {
      context.notMeasured(
        limit,
        this.#rateLimited === null
          ? `every request up to ${describeSize(this.#highest)} was served`
          : `refused because of load: ${this.#rateLimited}`,
      );
    }
    this.#checkLedger();
  }

  #checkRefusals(): void {
    const seen = this.#refusals.filter(({ outcome }) => outcome.kind !== "notTaken");
    const unseen = this.#refusals.find(({ outcome }) => outcome.kind === "notTaken");
    if (unseen !== undefined) {
      this.#context.notMeasured(
        `how ${describeSize(unseen.payloadBytes)} are refused`,
        "the server stopped reading the request halfway, and the client sees no close frame " +
          "until it has sent the whole request",
      );
    }
    if (seen.length > 0) {
      this.#context.check({
        kind: "largeRefused",
        name: "a request that is too large is refused",
        passed: seen.every(({ outcome }) => outcome.isRefusal),
        expected: "an error for that call or close 1009",
        observed: seen.map(({ payloadBytes, outcome }) =>
          `${describeSize(payloadBytes)}: ${outcome.said}`
        ).join("; "),
      });
    }
    this.#context.tally({
      kind: "answersAfterRefusal",
      name: "a new connection answers after each refusal",
      seen: this.#refusals.filter(({ answersAfter }) => answersAfter).length,
      wanted: this.#refusals.length,
    });
  }

  #checkLedger(): void {
    const ledger = settleLedger(this.#ledger, false);
    const { sent, ok, toolError, rateLimited, timeout, connectionLost } = ledger;
    const broken = brokenEquations(ledger);
    const told = Object.entries({ ok, toolError, rateLimited, timeout, connectionLost })
      .filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
    this.#context.check({
      kind: "limitSearchReconciles",
      name: "the calls that look for the limit reconcile",
      passed: broken.length === 0,
      expected: "every call and every frame counted once",
      observed: broken.length === 0 ? `${sent} sent: ${told.join(", ")}` : broken.join("; "),
    });
  }
}
