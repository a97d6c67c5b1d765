import type { Call } from "../client/call.ts";
import type { Connection } from "../client/connection.ts";
import { wait } from "../load/pace.ts";
import { type BucketFit, type Decision, fitTokenBucket } from "../stats/token_bucket_fit.ts";
import type { ScenarioContext } from "./scenario.ts";

/** Why a row of calls ended: one was refused, all were accepted, or the server stopped answering. */
export type RowEnd = "refused" | "bound" | "silent" | "lost";

/** The calls of one owner of a budget, one at a time, and what became of each. */
export class BudgetProbe {
  readonly #context;
  readonly #decisions: Decision[] = [];
  /** Calls that the limiter accepted, whatever their outcome. */
  accepted = 0;
  /** The first call that was refused, and how many were accepted before; `null`: none was. */
  firstRefusal: { call: Call; after: number } | null = null;

  constructor(context: Pick<ScenarioContext, "workload" | "signal">) {
    this.#context = context;
  }

  /** The token buckets that fit all decisions; `null`: none does. */
  get fit(): BucketFit | null {
    return fitTokenBucket(this.#decisions);
  }

  /**
   * Calls until one is refused, so many have been made, or one has ended after `untilNs` of the clock.
   *
   * @throws the signal's reason, if the run is interrupted
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

  /** Takes over the accepted calls of another owner, before any of its own. */
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

/** An interval of the refill this narrow, as a share of its middle to either side, is good enough. */
const PRECISE = 0.05;
/** The first wait for a refill, in milliseconds; each further one is twice as long. */
const FIRST_WAIT_MS = 50;

/**
 * Uses the budget up, waits, and uses up what was refilled, with longer and longer waits until the refill
 * rate is known well enough or the time is up. Few calls are refused: one for each wait.
 */
export async function measureBudget(
  context: Pick<ScenarioContext, "clock" | "signal">,
  { probe, row, waitMs }: {
    probe: BudgetProbe;
    /** A row of calls, up to the next refusal. */
    row: () => Promise<RowEnd>;
    /** All waits together, in milliseconds. */
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
