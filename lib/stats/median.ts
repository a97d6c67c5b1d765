/** Modified z-scores beyond this are outliers: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993). */
const OUTLIER_SCORE = 3.5;
/** Of fewer epochs than this none is called an outlier. */
const MINIMUM_EPOCHS = 5;
/** Makes a median absolute deviation estimate the standard deviation of normal values. */
const MEDIAN_DEVIATION_SCALE = 1.4826;
/** The same for a mean absolute deviation. */
const MEAN_DEVIATION_SCALE = 1.2533;

/**
 * The middle value, or the mean of the two middle ones.
 *
 * @throws {RangeError} if there is no value
 */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take a median as there are no values");
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/**
 * The standard deviation estimated by the median absolute deviation; by the mean absolute deviation
 * where more than half of the values are equal and the median one is 0.
 */
function robustDeviation(values: readonly number[], center: number): number {
  const deviations = values.map((value) => Math.abs(value - center));
  const byMedian = MEDIAN_DEVIATION_SCALE * median(deviations);
  if (byMedian > 0) return byMedian;
  const total = deviations.reduce((sum, deviation) => sum + deviation, 0);
  return MEAN_DEVIATION_SCALE * total / values.length;
}

/**
 * The indices of the values that lie further from the median than 3.5 scaled median absolute
 * deviations. They are pointed out, never removed. Of fewer than five values none is an outlier.
 */
export function madOutliers(values: readonly number[]): number[] {
  if (values.length < MINIMUM_EPOCHS) return [];
  const center = median(values);
  const limit = OUTLIER_SCORE * robustDeviation(values, center);
  return values.flatMap((value, index) => Math.abs(value - center) > limit ? [index] : []);
}
