/**
 * The mean of the values without the largest tenth of them, rounded down: a one-sided trimmed mean, that
 * a few hiccups do not move, and whatever happens to more than a tenth does.
 *
 * @throws {RangeError} if there is no value
 */
export function lowerMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take a mean as there are no values");
  const count = values.length - Math.floor(values.length / 10);
  const kept = Float64Array.from(values).sort().subarray(0, count);
  return kept.reduce((sum, value) => sum + value, 0) / count;
}
