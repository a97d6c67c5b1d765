import type { ThinkTime } from "./options.ts";

/** Cap on think times: ten minutes. */
const MAX_THINK_MS = 600_000;

/** Draws log-normal think times in milliseconds. The same seed gives the same times. */
export function createThinkTimes(think: ThinkTime, seed: number): () => number {
  const random = createRandom(seed);
  return () => {
    // Box-Muller: two uniform draws make a normal one. `1 - random()` keeps log() away from 0.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(MAX_THINK_MS, think.medianMs * Math.exp(think.sigma * normal));
  };
}

/** A seeded generator of uniform numbers in [0, 1): a Weyl sequence with mixed bits. */
function createRandom(seed: number): () => number {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Blocks the thread for `thinkMs`, so the server answers no one. */
export function thinkBlocking(thinkMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, thinkMs);
}

export interface ThinkOptions {
  /** Ends the wait early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  progressIntervalMs: number;
  onProgress?: (elapsedMs: number) => void;
}

/** Waits for `thinkMs` without blocking, and reports progress at every interval. */
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
