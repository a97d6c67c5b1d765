import { do_not_optimize, measure } from "mitata";
import mitata from "mitata/package.json" with { type: "json" };

/** The version of mitata that takes the samples. */
export const MITATA_VERSION: string = mitata.version;

/**
 * Calls `operation` repeatedly, one call after the other, and returns the times of successful calls
 * in nanoseconds, in ascending order.
 *
 * `operation` measures its own time and resolves to nanoseconds, to -1 if the call does not count,
 * or to Infinity to stop (not a sample either). If it rejects, all samples are lost. All calls use
 * up `maxSamples`.
 *
 * mitata makes exactly one unmeasured call first, even if `maxSamples` is 0: count it as warm-up.
 * The settings make each call one sample, keep the extremes, and skip the garbage collection step,
 * which without `--expose-gc` allocates 1 GiB.
 */
export async function sampleSequential(
  operation: () => Promise<number>,
  { maxSamples }: { maxSamples: number },
): Promise<number[]> {
  const settings = {
    manual: "manual", // missing in mitata's types: the function returns the sample
    batch_threshold: -1,
    warmup_threshold: -1,
    samples_threshold: Infinity,
    gc: false,
    min_samples: 0,
    max_samples: maxSamples,
    min_cpu_time: Infinity,
  };
  const { samples } = await measure(() => operation(), settings);
  return samples.filter((ns) => ns >= 0 && ns !== Infinity);
}

/** Cost of one operation in nanoseconds. */
export interface BatchedSample {
  p50: number;
  /** Ascending means of the batches, without the two fastest and two slowest if over 12. */
  samples: number[];
}

/**
 * Measures work of nanoseconds in mitata's batched mode: by default for 0.64 s, and at least 12
 * samples of 4,096 calls each. Batches hide the tails of single calls, so it does not suit work
 * that waits. The result of `fn` should depend on its work, or the compiler may remove the work.
 *
 * The thresholds are lifted because one slow first call would otherwise turn batching off.
 *
 * @param options.callsPerBatch a multiple of four
 */
export async function sampleBatched(
  fn: () => unknown,
  options?: { callsPerBatch: number; batches: number },
): Promise<BatchedSample> {
  const { p50, samples } = await measure(() => do_not_optimize(fn()), {
    gc: false,
    batch_threshold: Infinity,
    warmup_threshold: Infinity,
    ...(options === undefined ? {} : {
      batch_samples: options.callsPerBatch,
      min_samples: options.batches,
      max_samples: options.batches,
    }),
  });
  return { p50, samples };
}
