import { systemClock } from "../client/clock.ts";
import { isAfter, PacerMemory } from "./pacer_memory.ts";
import { startWorker } from "../start_worker.ts";
import type { FromPacer, ToPacer } from "./pacer_worker.ts";

/** What is to be done at which times. */
export interface PacedTimes {
  /** The next time in nanoseconds of the clock, never falling; `null`: no more. Asked for ahead. */
  next: () => number | null;
  /** Is called at each of the times, or as soon after it as it can be. */
  onDue: (dueNs: number) => void;
  /** Is called after the last of them. */
  onEnd: () => void;
}

/** Calls back at given times, one series of them after the other. Dispose of it. */
export interface Pacer extends Disposable {
  /**
   * Calls back at each of the times, at once for those that are due; the returned function ends that.
   *
   * @throws {Error} if the series before is not over, or the pacer has been disposed of
   */
  pace(times: PacedTimes): () => void;
  /** Says that no reply is awaited, so that the thread may as well spin to a time that is near. */
  idle(): void;
}

/** How early the worker wakes the main thread, at first and at the limits, in nanoseconds. */
const LEAD_NS = { first: 60_000, shortest: 10_000, longest: 250_000 };
/** This share of the wake-ups is to be early enough: the more are, the longer the others spin. */
const EARLY_SHARE = 0.7;
/** Of the lead, for each wake-up: at first, and what it comes down to. */
const LEARNING_RATE = { first: 0.3, last: 0.03 };
/** To sleep for less than about two wake-ups take does not pay, where no reply is awaited. */
const NEAR_NS = 200_000;
/** While times are spun to, the worker is there in case a reply is slow: waking up, it may disturb a server. */
const STANDBY_LEAD_NS = 15_000;
/** How many times the worker knows ahead. */
const AHEAD = 16;
/** How often the clocks of the two threads are compared; the quickest answer counts. */
const CLOCK_READINGS = 5;

/**
 * Starts a pacer whose waits are slept through in a worker thread, so that the main thread is free to read
 * its sockets, and woken early by what a wake-up is seen to take; only the rest is spun. A timer of the
 * main thread is over 1 ms late.
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

/** By how many milliseconds the worker's clock is ahead; it is right within half of a round trip. */
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

/** A series that is under way. */
interface Series extends PacedTimes {
  /** Times that the worker knows, the next one first. */
  readonly ahead: number[];
  /** The one after those; `null`: there are no more. */
  upcomingNs: number | null;
}

/** A pacer of the real clock. */
export class ThreadPacer implements Pacer {
  /** How early the main thread is woken, as learned so far, in nanoseconds. */
  leadNs = LEAD_NS.first;
  /** How long the main thread has spun so far, in nanoseconds. */
  spunNs = 0;
  readonly #worker: Worker;
  readonly #offsetMs: number;
  readonly #memory = new PacerMemory();
  #series: Series | null = null;
  /** The number of the first of the times ahead. */
  #nth = 0;
  #learningRate = LEARNING_RATE.first;
  #isStandby = false;
  #isDisposed = false;

  /** @param offsetMs how far the worker's clock is ahead of this thread's */
  constructor(worker: Worker, offsetMs: number) {
    this.#worker = worker;
    this.#offsetMs = offsetMs;
    this.#memory.leadNs = LEAD_NS.first;
    worker.onmessage = ({ data }: MessageEvent<FromPacer>) => this.#woken(data);
    worker.postMessage(this.#memory.buffer satisfies ToPacer);
  }

  pace(times: PacedTimes): () => void {
    if (this.#isDisposed) throw new Error("Cannot pace as the pacer has been disposed of");
    if (this.#series !== null) throw new Error("Cannot pace as the series before is not over");
    const series: Series = { ...times, ahead: [], upcomingNs: times.next() };
    this.#series = series;
    this.#nth = this.#memory.written;
    this.#takeDue(series);
    return () => this.#end(series);
  }

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
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#series = null;
    this.#memory.stop();
    this.#worker.terminate();
  }

  /** The worker has woken for so many times of all: those are waited for here, later ones left to it. */
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
   * The lead follows a quantile of what a wake-up takes, by stochastic approximation (H. Robbins and
   * S. Monro, A Stochastic Approximation Method, 1951): each one that is too late makes it longer, each
   * early one shorter, in the ratio that leaves it where it is at that quantile.
   */
  #learn(lateNs: number): void {
    if (this.#isStandby) return;
    const step = lateNs > 0 ? EARLY_SHARE : EARLY_SHARE - 1;
    const leadNs = Math.round(this.leadNs * (1 + this.#learningRate * step));
    this.#learningRate = Math.max(LEARNING_RATE.last, this.#learningRate * 0.9);
    this.leadNs = Math.min(LEAD_NS.longest, Math.max(LEAD_NS.shortest, leadNs));
  }

  /** Whether the worker is only there for what the main thread does not spin to. */
  #standBy(isStandby: boolean): void {
    this.#isStandby = isStandby;
    this.#memory.leadNs = isStandby ? STANDBY_LEAD_NS : this.leadNs;
  }

  #spinUntil(dueNs: number): void {
    const startNs = systemClock.nowNs();
    let nowNs = startNs;
    while (nowNs < dueNs) nowNs = systemClock.nowNs();
    this.spunNs += nowNs - startNs;
  }

  /** Calls back for everything that is due, and lets the worker know what follows. */
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

/** The next time of a series; infinity after the last. */
function first({ ahead, upcomingNs }: Series): number {
  return ahead[0] ?? upcomingNs ?? Infinity;
}
