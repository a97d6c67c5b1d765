import type { Clock } from "../client/clock.ts";
import type { Fact, Interval, Ledger, Validity } from "../schema.ts";
import { estimate } from "../stats/estimate.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { percentileOf } from "../stats/percentiles.ts";
import type { CaseResult } from "./scenario.ts";
import { threadCpuNs } from "./slices.ts";

/**
 * From this share on the client is taken to be the bottleneck: its thread's share of a core, or the
 * throughput's share of the client's floor. Both say how much faster a server could still look that
 * answers at once: by 1 / share, here by 11 %. Neither covers for the other: with one call at a time the thread is
 * half idle at the floor; and long replies keep it busy far above the floor, whose replies are short.
 */
export const CLIENT_BOUND_SHARE = 0.9;
/** Above this share of the successes, replies from a cache make the numbers invalid. */
const CACHED_SHARE_LIMIT = 0.01;
/** CPU time is counted in ticks of 10 ms, so that a shorter window says nothing. */
const MINIMUM_WINDOW_NS = 1e9;
/** How often the event loop is asked for the time. */
const LAG_INTERVAL_MS = 5;

/** Watches the client's thread while measured work runs. Dispose of it. */
export class ClientMonitor implements Disposable {
  readonly #clock;
  readonly #cpuNs;
  readonly #lag = new LatencyHistogram();
  #watchedNs = 0;
  #usedNs = 0;

  /** @param options.cpuNs how much CPU time the client has used so far, in nanoseconds */
  constructor(clock: Clock, { cpuNs = threadCpuNs } = {}) {
    this.#clock = clock;
    this.#cpuNs = cpuNs;
  }

  /** Runs the work, watched; of paced work, whose thread has a schedule to keep, the lag alone. */
  async watch<T>(work: () => Promise<T>, { paced = false } = {}): Promise<T> {
    const startNs = this.#clock.nowNs();
    const startCpuNs = this.#cpuNs();
    const stop = this.#sampleLag();
    try {
      return await work();
    } finally {
      stop();
      if (!paced) {
        this.#watchedNs += this.#clock.nowNs() - startNs;
        this.#usedNs += this.#cpuNs() - startCpuNs;
      }
    }
  }

  /** The share of a core, 0 to 1, that the thread used; `null`: the watch was too short to say. */
  get clientCpu(): number | null {
    return this.#watchedNs < MINIMUM_WINDOW_NS ? null : Math.min(1, this.#usedNs / this.#watchedNs);
  }

  /** How late the event loop came to a timer, in nanoseconds. */
  get loopLagP99Ns(): number | null {
    return percentileOf(this.#lag, 99);
  }

  [Symbol.dispose](): void {
    this.#lag[Symbol.dispose]();
  }

  #sampleLag(): () => void {
    let cancel = () => {};
    const tick = () => {
      const dueNs = this.#clock.nowNs() + LAG_INTERVAL_MS * 1e6;
      cancel = this.#clock.after(LAG_INTERVAL_MS, () => {
        this.#lag.record(Math.max(0, this.#clock.nowNs() - dueNs));
        tick();
      });
    };
    tick();
    return () => cancel();
  }
}

/** A case on the target as a share of the same on a server that does nothing. */
export interface FloorShare {
  share: number;
  ci95: Interval | null;
  /** Calls per second. */
  throughput: number;
  latencyP50Ns: number | null;
}

/**
 * Pairs the two by epoch; `null` where there is no pair. A target that beats the server that does nothing
 * makes the floor wrong, not itself impossible: then it is the floor, and its share 1.
 */
export function floorShare(
  target: CaseResult | null,
  floor: CaseResult | null,
): FloorShare | null {
  const pairs = (target?.rates ?? []).flatMap((rate, epoch) => {
    const bound = floor?.rates[epoch];
    return rate && bound ? { rate, bound } : [];
  });
  if (pairs.length === 0) return null;
  const { value, ci95 } = estimate(pairs.map(({ rate, bound }) => rate / bound), { paired: true });
  const medians = floor!.medians.flatMap((median) => median ?? []);
  const isBeaten = ci95 !== null && ci95[0] > 1;
  return {
    share: isBeaten ? 1 : value,
    ci95: isBeaten ? [1, 1] : ci95,
    throughput: estimate(pairs.map(({ rate, bound }) => isBeaten ? rate : bound)).value,
    latencyP50Ns: medians.length === 0 ? null : estimate(medians).value,
  };
}

/** `bound` where the interval is wholly above the limit, `free` wholly below; without one it cannot be said. */
export function boundBy({ ci95 }: Pick<FloorShare, "ci95">): "free" | "bound" | "undecided" {
  if (ci95 === null) return "undecided";
  if (ci95[0] >= CLIENT_BOUND_SHARE) return "bound";
  return ci95[1] < CLIENT_BOUND_SHARE ? "free" : "undecided";
}

/** What a scenario's numbers are good for. */
export function validityOf(
  { warnings: given, ledger: { ok, cached }, clientCpu, loopLagP99Ns, floor, capped }: {
    warnings: readonly Fact[];
    ledger: Ledger;
    clientCpu: number | null;
    loopLagP99Ns: number | null;
    floor: FloorShare | null;
    /** Did the user cap the rate? Then its share of the floor says nothing. */
    capped: boolean;
  },
): Validity {
  const share = floor?.share ?? null;
  const byFloor = floor === null || capped ? null : boundBy(floor);
  const isBusy = clientCpu !== null && clientCpu >= CLIENT_BOUND_SHARE;
  const warnings = [...given];
  if (cached > CACHED_SHARE_LIMIT * ok) {
    const message =
      `the server served ${cached} of ${ok} successes from a cache, so that its cache was ` +
      `measured: make calls differ, as with --tool-args '{"n":"{unique}"}'`;
    warnings.push({ kind: "cached", message, cached, ok });
  }
  if (isBusy) {
    const message = `client-bound: the client's thread used ${percent(clientCpu)} of a core, ${SO}`;
    warnings.push({ kind: "clientCpu", message, clientCpu });
  }
  if (byFloor === "bound") {
    const message = `client-bound: the throughput is ${percent(share!)} of what this client ` +
      `reaches against a server that does nothing, ${SO}`;
    warnings.push({ kind: "clientFloor", message, share });
  }
  return {
    valid: warnings.length === 0,
    client: isBusy ? "bound" : byFloor,
    clientShare: share,
    clientShareCi95: floor?.ci95 ?? null,
    ...(floor === null ? {} : {
      floor: { throughput: floor.throughput, latencyP50Ns: floor.latencyP50Ns },
    }),
    clientCpu,
    loopLagP99Ns,
    warnings,
  };
}

const SO = "so that a faster server would look no faster";

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
