import type { Call } from "../client/call.ts";
import type { Connection } from "../client/connection.ts";
import type { SessionOptions } from "../client/target.ts";
import { wait } from "../load/pace.ts";
import { type BucketFit, type Decision, fitTokenBucket } from "../stats/token_bucket_fit.ts";
import type { ScenarioContext } from "./scenario.ts";

/** Why a row of calls ended: `bound` is the limit of calls or time, `silent` a timeout. */
export type RowEnd = "refused" | "bound" | "silent" | "lost";

/** The calls of a probe. */
export interface BudgetProbeOptions
  extends Pick<ScenarioContext, "target" | "ledger" | "workload" | "clock" | "signal"> {
  /** From where to connect. */
  as: SessionOptions;
  /** Calls per session, to use up the budget of an address; `null`: one session makes them all. */
  callsPerSession: number | null;
}

/** Share of its own budget that a session uses, so that only the budget of its address runs out. */
export const OWN_SHARE = 0.8;
/** Sufficient precision of the refill rate: half the interval as a share of its middle. */
const PRECISE = 0.05;
/** First wait for a refill. Each further one is twice as long. */
const FIRST_WAIT_MS = 50;

/**
 * Makes calls that share a budget, one at a time, and records what the limiter decided. Dispose of
 * it to close its connection.
 */
export class BudgetProbe implements AsyncDisposable {
  readonly #options: BudgetProbeOptions;
  readonly #as: SessionOptions;
  readonly #decisions: Decision[] = [];
  #connection: Connection | null = null;
  /** Calls that the connection can still make. */
  #left = 0;
  /** Calls that the limiter accepted, whatever their outcome. */
  accepted = 0;
  /** The first refused call and the number accepted before it. */
  firstRefusal: { call: Call; after: number } | null = null;
  lastRefusal: Call | null = null;
  /** True if the connection was still open some time after the first refusal; `null`: not seen. */
  isOpenAfterwards: boolean | null = null;

  constructor(options: BudgetProbeOptions) {
    const { target, as, callsPerSession } = options;
    this.#options = options;
    this.#as = callsPerSession === null ? { ...as, credentials: target.newCredentials() } : as;
  }

  /** The token buckets that fit all decisions; `null`: none fits. */
  get fit(): BucketFit | null {
    return fitTokenBucket(this.#decisions);
  }

  /**
   * Calls until one is refused, `most` have been made, or one has ended after clock time `untilNs`.
   *
   * @throws {ConnectError} if no connection opens
   * @throws the signal's reason if the run is interrupted
   */
  async callUntilRefused(most: number, untilNs = Infinity): Promise<RowEnd> {
    const { workload, signal } = this.#options;
    if (this.firstRefusal !== null) this.isOpenAfterwards ??= this.#connection?.isOpen ?? null;
    for (let calls = 0; calls < most; calls++) {
      const connection = await this.#connect();
      if (!connection.isOpen) break;
      const call = await connection.call(workload());
      signal.throwIfAborted();
      if (call.status === "connectionLost") return "lost";
      if (call.status === "timeout") return "silent";
      this.note(call);
      if (call.status === "rateLimited") return "refused";
      if (call.endedNs >= untilNs) break;
    }
    signal.throwIfAborted();
    return this.#connection!.isOpen ? "bound" : "lost";
  }

  /**
   * Uses the budget up, waits, and uses up what was refilled. The waits double until the refill rate
   * is precise enough or the time is up. Each wait costs one refused call.
   *
   * @param most maximum calls in a row
   * @param waitMs total of all waits
   */
  async measure(most: number, waitMs: number): Promise<RowEnd> {
    let end = await this.callUntilRefused(most);
    let leftMs = waitMs;
    for (let nextMs = FIRST_WAIT_MS; end === "refused" && leftMs > 0; nextMs *= 2) {
      const thisMs = Math.min(nextMs, leftMs);
      leftMs -= thisMs;
      await wait(thisMs, this.#options);
      this.#options.signal.throwIfAborted();
      end = await this.callUntilRefused(most);
      const { fit } = this;
      if (fit === null) continue;
      const [low, high] = fit.refillPerSecond;
      if (high - low <= PRECISE * (high + low)) break;
    }
    return end;
  }

  /** Charges another probe's accepted calls to this budget. Call it before any others are made. */
  charge(other: BudgetProbe): void {
    this.#decisions.push(...other.#decisions.filter(({ accepted }) => accepted));
  }

  /** Adds a call that the limiter decided on. */
  note(call: Call): void {
    const { status, sentNs, endedNs } = call;
    const accepted = status !== "rateLimited";
    this.#decisions.push({ sentNs, endedNs, accepted });
    if (accepted) this.accepted++;
    else {
      this.firstRefusal ??= { call, after: this.accepted };
      this.lastRefusal = call;
      // The October build sends no frame twice on a connection, so not an equal refusal either.
      if (this.#options.callsPerSession !== null || this.#options.target.sessionsOutlive) {
        this.#left = 0;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.close();
  }

  async #connect(): Promise<Connection> {
    const { target, ledger, callsPerSession } = this.#options;
    if (this.#connection === null || this.#left === 0) {
      await this.#connection?.close();
      this.#connection = await target.connect(ledger, this.#as);
      this.#left = callsPerSession ?? Infinity;
    }
    this.#left--;
    return this.#connection;
  }
}
