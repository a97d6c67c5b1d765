import { do_not_optimize, measure } from "mitata";
import mitata from "mitata/package.json" with { type: "json" };

/** The version of mitata that takes the samples. */
export const MITATA_VERSION: string = mitata.version;

/**
 * Calls `operation` again and again, the next call when the last one has ended, and returns the
 * times of the good ones in nanoseconds, in ascending order.
 *
 * `operation` takes its own time and fulfils with it: nanoseconds for a call that counts, -1 for one that does not,
 * Infinity to stop (that call is no sample either). Where it rejects, all samples are lost.
 *
 * mitata makes exactly one unmeasured call before the loop, also when `maxSamples` is 0: account for it as warm-up.
 * Calls that count and calls that do not both use up `maxSamples`.
 *
 * The settings keep each call a sample of its own, keep the extremes, and leave out the garbage
 * collection step, which without `--expose-gc` is an allocation of 1 GiB.
 */
export async function sampleSequential(
  operation: () => Promise<number>,
  { maxSamples }: { maxSamples: number },
): Promise<number[]> {
  const settings = {
    manual: "manual", // not among the types of mitata: the function's own figure is the sample
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

/** The cost of one operation in nanoseconds, from batches. */
export interface BatchedSample {
  p50: number;
  /** The means of the batches, in ascending order, without the two fastest and the two slowest of over 12. */
  samples: number[];
}

/**
 * Measures work of nanoseconds in mitata's batched mode: 4,096 calls a sample, samples for 0.64 s and at least 12,
 * unless told otherwise. Tails of single calls cannot be seen in it, so it is not for anything that waits. What `fn`
 * returns should depend on its work, or the compiler may remove that.
 *
 * The thresholds are lifted, as one slow first call would otherwise turn the batches off.
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
