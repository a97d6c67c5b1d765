import type { ThinkTime } from "./options.ts";

/** Longest think time, however unlikely the draw: ten minutes. */
const MAX_THINK_MS = 600_000;

/** Draws think times in milliseconds from a log-normal distribution: the same seed, the same times. */
export function createThinkTimes(think: ThinkTime, seed: number): () => number {
  const random = createRandom(seed);
  return () => {
    // Box-Muller: two uniform draws make one normal one. `1 - u` keeps log() away from zero.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(MAX_THINK_MS, think.medianMs * Math.exp(think.sigma * normal));
  };
}

/** A seeded generator of uniform numbers in [0, 1): a counter in odd steps, its bits mixed. */
function createRandom(seed: number): () => number {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Occupies the thread for `thinkMs`, so that this server answers nobody. */
export function thinkBlocking(thinkMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, thinkMs);
}

export interface ThinkOptions {
  /** Ends the thinking early; the promise rejects with its reason. */
  signal?: AbortSignal;
  progressIntervalMs: number;
  onProgress?: (elapsedMs: number) => void;
}

/** Waits for `thinkMs` without occupying the thread, telling of the progress at every interval. */
export function think(thinkMs: number, options: ThinkOptions): Promise<void> {
  const { signal, progressIntervalMs, onProgress } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) return Promise.reject(signal.reason);
  const started = performance.now();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const done = setTimeout(resolve, thinkMs);
  const progress = onProgress &&
    setInterval(() => onProgress(performance.now() - started), progressIntervalMs);
  return promise.finally(() => {
    clearTimeout(done);
    clearInterval(progress);
    signal?.removeEventListener("abort", abort);
  });
}
