import { systemClock } from "../client/clock.ts";
import { isAfter, PacerMemory } from "./pacer_memory.ts";
import { startWorker } from "../start_worker.ts";
import type { FromPacer, ToPacer } from "./pacer_worker.ts";

/** A series of times, and its callbacks. */
export interface PacedTimes {
  /** The next time in nanoseconds of the clock, never falling; `null`: no more. Read ahead. */
  next: () => number | null;
  /** Called at each of the times, or as soon after it as possible. */
  onDue: (dueNs: number) => void;
  /** Called after the last of them. */
  onEnd: () => void;
}

/** The part of a pacer that a run uses. */
export type Pacer = Pick<ThreadPacer, "pace" | "idle" | typeof Symbol.dispose>;

/** How early the worker wakes the main thread, initially and at the limits, in nanoseconds. */
const LEAD_NS = { first: 60_000, shortest: 10_000, longest: 250_000 };
/** Share of wake-ups that should be early enough; a larger one means more spinning. */
const EARLY_SHARE = 0.7;
/** Change of the lead per wake-up, as a share of it: initially, and the minimum. */
const LEARNING_RATE = { first: 0.3, last: 0.03 };
/** About two wake-ups: sleeping for less does not pay while no reply is outstanding. */
const NEAR_NS = 200_000;
/** Delay in standby: a wake-up just before a call competes with a server that is about to start. */
const STANDBY_LAG_NS = 50_000;
/** How many times the worker is given ahead. */
const AHEAD = 16;
/** Number of clock comparisons between the two threads; the fastest round trip counts. */
const CLOCK_READINGS = 5;

/**
 * Starts a pacer that sleeps in a worker thread, which leaves the main thread free to read its
 * sockets. The worker wakes it early, by a lead learned from earlier wake-ups, and only the rest is
 * spun. A timer on the main thread would be over 1 ms late.
 *
 * @throws {Error} if its worker fails
 */
export async function startPacer(): Promise<ThreadPacer> {
  const worker = startWorker(new URL("./pacer_worker.ts", import.meta.url));
  const failed = Promise.withResolvers<never>();
  worker.onerror = (event) => {
    event.preventDefault();
    failed.reject(new Error(`Cannot start the pacer as its worker failed: ${event.message}`));
  };
  try {
    const offsetMs = await Promise.race([compareClocks(worker), failed.promise]);
    return new ThreadPacer(worker, offsetMs);
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** How far the worker's clock is ahead, in milliseconds, to within half a round trip. */
async function compareClocks(worker: Worker): Promise<number> {
  let best = { roundTripMs: Infinity, offsetMs: 0 };
  for (let reading = 0; reading < CLOCK_READINGS; reading++) {
    const answer = Promise.withResolvers<number>();
    worker.onmessage = ({ data }: MessageEvent<FromPacer>) => answer.resolve(data);
    const askedMs = performance.now();
    worker.postMessage("time" satisfies ToPacer);
    const theirsMs = await answer.promise;
    const roundTripMs = performance.now() - askedMs;
    const offsetMs = theirsMs - askedMs - roundTripMs / 2;
    if (roundTripMs < best.roundTripMs) best = { roundTripMs, offsetMs };
  }
  return best.offsetMs;
}

/** The current series. */
interface Series extends PacedTimes {
  /** Times that the worker was given, the next one first. */
  readonly ahead: number[];
  /** The one after those; `null`: no more. */
  upcomingNs: number | null;
}

/** Calls back at given times of the real clock, one series after the other. */
export class ThreadPacer implements Disposable {
  /** How early the main thread is woken, as learned so far. */
  leadNs = LEAD_NS.first;
  /** Total time that the main thread has spun. */
  spunNs = 0;
  readonly #worker: Worker;
  readonly #offsetMs: number;
  readonly #memory = new PacerMemory();
  #series: Series | null = null;
  /** Number of the first time in `ahead`, counted over all series. */
  #nth = 0;
  #learningRate = LEARNING_RATE.first;
  #isStandby = false;

  /** @param offsetMs How far the worker's clock is ahead of this thread's. */
  constructor(worker: Worker, offsetMs: number) {
    this.#worker = worker;
    this.#offsetMs = offsetMs;
    this.#memory.leadNs = LEAD_NS.first;
    worker.onmessage = ({ data }: MessageEvent<FromPacer>) => this.#woken(data);
    worker.postMessage(this.#memory.buffer satisfies ToPacer);
  }

  /**
   * Calls back at each of the times, immediately if it has passed. Returns a function to end it.
   *
   * @throws {Error} if the previous series is not over
   */
  pace(times: PacedTimes): () => void {
    if (this.#series !== null) throw new Error("Cannot pace as the series before is not over");
    const series: Series = { ...times, ahead: [], upcomingNs: times.next() };
    this.#series = series;
    this.#nth = this.#memory.written;
    this.#takeDue(series);
    return () => this.#end(series);
  }

  /** Called when no reply is outstanding, so the thread may spin until a time that is near. */
  idle(): void {
    const series = this.#series;
    const [dueNs] = series?.ahead ?? [];
    if (series === null || dueNs === undefined || dueNs - systemClock.nowNs() > NEAR_NS) return;
    this.#standBy(true);
    this.#memory.skip((this.#nth + 1) | 0);
    this.#spinUntil(dueNs);
    this.#takeDue(series);
  }

  [Symbol.dispose](): void {
    this.#series = null;
    this.#memory.stop();
    this.#worker.terminate();
  }

  /** Spins until each time up to the one that the worker woke for; it handles later ones. */
  #woken(count: number): void {
    const series = this.#series;
    if (series === null) return;
    if (isAfter(count, this.#nth)) this.#learn(systemClock.nowNs() - series.ahead[0]!);
    this.#standBy(false);
    while (this.#series === series && isAfter(count, this.#nth)) {
      this.#spinUntil(series.ahead[0]!);
      this.#takeDue(series);
    }
    if (this.#series === series) this.#takeDue(series);
  }

  /**
   * Moves the lead towards a quantile of the wake-up time by stochastic approximation (H. Robbins
   * and S. Monro, A Stochastic Approximation Method, 1951): a late wake-up lengthens it, an early
   * one shortens it, in the ratio that is balanced at that quantile.
   */
  #learn(lateNs: number): void {
    if (this.#isStandby) return;
    const step = lateNs > 0 ? EARLY_SHARE : EARLY_SHARE - 1;
    const leadNs = Math.round(this.leadNs * (1 + this.#learningRate * step));
    this.#learningRate = Math.max(LEARNING_RATE.last, this.#learningRate * 0.9);
    this.leadNs = Math.min(LEAD_NS.longest, Math.max(LEAD_NS.shortest, leadNs));
  }

  /** In standby the main thread spins itself; the worker steps in only if a reply is slow. */
  #standBy(isStandby: boolean): void {
    this.#isStandby = isStandby;
    this.#memory.leadNs = isStandby ? -STANDBY_LAG_NS : this.leadNs;
  }

  #spinUntil(dueNs: number): void {
    const startNs = systemClock.nowNs();
    let nowNs = startNs;
    while (nowNs < dueNs) nowNs = systemClock.nowNs();
    this.spunNs += nowNs - startNs;
  }

  /** Calls back for everything that is due, and gives the worker the times that follow. */
  #takeDue(series: Series): void {
    for (let dueNs = first(series); dueNs <= systemClock.nowNs(); dueNs = first(series)) {
      if (series.ahead.length === 0) series.upcomingNs = series.next();
      else {
        series.ahead.shift();
        this.#nth = (this.#nth + 1) | 0;
      }
      series.onDue(dueNs);
      if (this.#series !== series) return;
    }
    this.#writeAhead(series);
    if (series.ahead.length > 0 || series.upcomingNs !== null) return;
    this.#end(series);
    series.onEnd();
  }

  #writeAhead(series: Series): void {
    while (series.upcomingNs !== null && series.ahead.length < AHEAD) {
      if (!this.#memory.write(series.upcomingNs / 1e6 + this.#offsetMs)) return;
      series.ahead.push(series.upcomingNs);
      series.upcomingNs = series.next();
    }
  }

  #end(series: Series): void {
    if (this.#series !== series) return;
    this.#series = null;
    this.#memory.skip();
  }
}

/** The next time of a series; Infinity after the last. */
function first({ ahead, upcomingNs }: Series): number {
  return ahead[0] ?? upcomingNs ?? Infinity;
}
