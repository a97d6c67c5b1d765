import type { Call } from "../client/call.ts";
import type { Connection } from "../client/connection.ts";
import { wait } from "../load/pace.ts";
import { type BucketFit, type Decision, fitTokenBucket } from "../stats/token_bucket_fit.ts";
import type { ScenarioContext } from "./scenario.ts";

/** Why a row of calls ended: `bound` is the limit of calls or time, `silent` a timeout. */
export type RowEnd = "refused" | "bound" | "silent" | "lost";

/** Makes calls that share a budget, one at a time, and records what the limiter decided. */
export class BudgetProbe {
  readonly #context;
  readonly #decisions: Decision[] = [];
  /** Calls that the limiter accepted, whatever their outcome. */
  accepted = 0;
  /** The first refused call and the number accepted before it. */
  firstRefusal: { call: Call; after: number } | null = null;

  constructor(context: Pick<ScenarioContext, "workload" | "signal">) {
    this.#context = context;
  }

  /** The token buckets that fit all decisions; `null`: none fits. */
  get fit(): BucketFit | null {
    return fitTokenBucket(this.#decisions);
  }

  /**
   * Calls until one is refused, `most` have been made, or one has ended after clock time `untilNs`.
   *
   * @throws the signal's reason if the run is interrupted
   */
  async callUntilRefused(
    connection: Connection,
    most: number,
    untilNs = Infinity,
  ): Promise<RowEnd> {
    for (let calls = 0; calls < most; calls++) {
      if (!connection.isOpen) break;
      const call = await connection.call(this.#context.workload());
      this.#context.signal.throwIfAborted();
      if (call.status === "connectionLost") return "lost";
      if (call.status === "timeout") return "silent";
      this.note(call);
      if (call.status === "rateLimited") return "refused";
      if (call.endedNs >= untilNs) break;
    }
    this.#context.signal.throwIfAborted();
    return connection.isOpen ? "bound" : "lost";
  }

  /** Charges another probe's accepted calls to this budget. Call it before any others are made. */
  charge(other: BudgetProbe): void {
    this.#decisions.push(...other.#decisions.filter(({ accepted }) => accepted));
  }

  /** Adds a call that the limiter decided on. */
  note(call: Call): void {
    const { status, sentNs, endedNs } = call;
    const accepted = status !== "rateLimited";
    if (accepted) this.accepted++;
    else this.firstRefusal ??= { call, after: this.accepted };
    this.#decisions.push({ sentNs, endedNs, accepted });
  }
}

/** Share of its own budget that a session uses, so that only the budget of its address runs out. */
export const OWN_SHARE = 0.8;
/** Sufficient precision of the refill rate: half the interval as a share of its middle. */
const PRECISE = 0.05;
/** First wait for a refill. Each further one is twice as long. */
const FIRST_WAIT_MS = 50;

/**
 * Uses the budget up, waits, and uses up what was refilled. The waits double until the refill rate
 * is precise enough or the time is up. Each wait costs one refused call.
 */
export async function measureBudget(
  context: Pick<ScenarioContext, "clock" | "signal">,
  { probe, row, waitMs }: {
    probe: BudgetProbe;
    /** Makes calls up to the next refusal. */
    row: () => Promise<RowEnd>;
    /** Total of all waits. */
    waitMs: number;
  },
): Promise<RowEnd> {
  let end = await row();
  let leftMs = waitMs;
  for (let nextMs = FIRST_WAIT_MS; end === "refused" && leftMs > 0; nextMs *= 2) {
    const thisMs = Math.min(nextMs, leftMs);
    leftMs -= thisMs;
    await wait(thisMs, context);
    context.signal.throwIfAborted();
    end = await row();
    if (probe.fit === null) continue;
    const [low, high] = probe.fit.refillPerSecond;
    if (high - low <= PRECISE * (high + low)) break;
  }
  return end;
}
