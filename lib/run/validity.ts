import type { Clock } from "../client/clock.ts";
import type { Fact, Interval, Ledger, Validity } from "../schema.ts";
import { estimate } from "../stats/estimate.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { percentileOf } from "../stats/percentiles.ts";
import type { CaseResult } from "./scenario.ts";
import { threadCpuNs } from "./slices.ts";

/**
 * The client is the bottleneck from this share on, either of a core that its thread uses or of the
 * floor's throughput: even an instant server would look at most 11 % (1 / share) faster. Both are
 * needed. With one call at a time, the thread is half idle at the floor; and long replies keep it
 * busy far from the floor, whose replies are short.
 */
export const CLIENT_BOUND_SHARE = 0.9;
/** Above this share of successes from a cache, the numbers are invalid. */
const CACHED_SHARE_LIMIT = 0.01;
/** CPU time has a resolution of 10 ms, so shorter windows are too inaccurate. */
const MINIMUM_WINDOW_NS = 1e9;
/** Sampling interval of the event loop's lag. */
const LAG_INTERVAL_MS = 5;

/** Monitors the client's thread during measured work. Dispose of it. */
export class ClientMonitor implements Disposable {
  readonly #clock;
  readonly #cpuNs;
  readonly #lag = new LatencyHistogram();
  #watchedNs = 0;
  #usedNs = 0;

  /** @param options.cpuNs returns the CPU time used so far, in nanoseconds */
  constructor(clock: Clock, { cpuNs = threadCpuNs } = {}) {
    this.#clock = clock;
    this.#cpuNs = cpuNs;
  }

  /** Monitors some work. CPU time of paced work is ignored, as its thread follows a schedule. */
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

  /** Share of a core that the thread used; `null`: the work was too short to tell. */
  get clientCpu(): number | null {
    return shareOfCore(this.#usedNs, this.#watchedNs);
  }

  /** Delay of timers, in nanoseconds. */
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

/** Share of a core, 0 to 1; `null` if the time is too short to tell. */
export function shareOfCore(usedNs: number, elapsedNs: number): number | null {
  return elapsedNs < MINIMUM_WINDOW_NS ? null : Math.min(1, usedNs / elapsedNs);
}

/** The throughput of a case as a share of the client's floor: the case on the null server. */
export interface FloorShare {
  share: number;
  ci95: Interval | null;
  /** Of the floor, in calls per second. */
  throughput: number;
  latencyP50Ns: number | null;
}

/**
 * Pairs the two by epoch; `null`: there is no pair. A target that is faster than the null server
 * shows that the floor is wrong. Then the target is the floor, and its share 1.
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

/** `bound` if the interval is wholly above the limit, `free` if it is wholly below. */
export function boundBy({ ci95 }: Pick<FloorShare, "ci95">): "free" | "bound" | "undecided" {
  if (ci95 === null) return "undecided";
  if (ci95[0] >= CLIENT_BOUND_SHARE) return "bound";
  return ci95[1] < CLIENT_BOUND_SHARE ? "free" : "undecided";
}

/** Decides if the numbers of a scenario can be trusted. */
export function validityOf(
  { warnings: given, ledger: { ok, cached }, clientCpu, loopLagP99Ns, floor, capped }: {
    warnings: readonly Fact[];
    ledger: Ledger;
    clientCpu: number | null;
    loopLagP99Ns: number | null;
    floor: FloorShare | null;
    /** True if the rate was limited, so its share of the floor is meaningless. */
    capped: boolean;
  },
): Validity {
  const share = floor?.share ?? null;
  const byFloor = floor === null || capped ? null : boundBy(floor);
  const isBusy = clientCpu !== null && clientCpu >= CLIENT_BOUND_SHARE;
  const warnings = [...given];
  if (cached > CACHED_SHARE_LIMIT * ok) {
    const message =
      `the server served ${cached} of ${ok} successes from a cache, so its cache was ` +
      `measured: make calls differ, for example with --tool-args '{"n":"{unique}"}'`;
    warnings.push({ kind: "cached", message, cached, ok });
  }
  if (isBusy) {
    const message = clientBound(`the client's thread used ${percent(clientCpu)} of a core`);
    warnings.push({ kind: "clientCpu", message, clientCpu });
  }
  if (byFloor === "bound") {
    const message = clientBound(
      `the throughput is ${percent(share!)} of what this client reaches ` +
        "with a server that does nothing",
    );
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

function clientBound(why: string): string {
  return `client-bound: ${why}, so a faster server would look no faster`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
