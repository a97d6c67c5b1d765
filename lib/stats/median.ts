/** Limit of modified z-scores: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993). */
const OUTLIER_SCORE = 3.5;
/** Minimum values to find outliers in. */
const MINIMUM_VALUES = 5;
/** Median absolute deviation to standard deviation, for normal values. */
const MEDIAN_DEVIATION_SCALE = 1.4826;
/** Mean absolute deviation to standard deviation, for normal values. */
const MEAN_DEVIATION_SCALE = 1.2533;

/** The median of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/**
 * Estimates the standard deviation by the median absolute deviation, or by the mean absolute
 * deviation if that is 0, as when more than half of the values are equal.
 */
function robustDeviation(values: readonly number[], center: number): number {
  const deviations = values.map((value) => Math.abs(value - center));
  const byMedian = MEDIAN_DEVIATION_SCALE * median(deviations);
  if (byMedian > 0) return byMedian;
  const total = deviations.reduce((sum, deviation) => sum + deviation, 0);
  return MEAN_DEVIATION_SCALE * total / values.length;
}

/**
 * Indices of the values more than 3.5 scaled median absolute deviations from the median; none with
 * fewer than five values.
 */
export function madOutliers(values: readonly number[]): number[] {
  if (values.length < MINIMUM_VALUES) return [];
  const center = median(values);
  const limit = OUTLIER_SCORE * robustDeviation(values, center);
  return values.flatMap((value, index) => Math.abs(value - center) > limit ? [index] : []);
}
