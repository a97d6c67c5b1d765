/**
 * Sparklines: a few values as a row of bars.
 *
 * @module
 */

/** `outliers` are the indices of values that are marked. */
interface Spark {
  values: readonly (number | null)[];
  outliers: readonly number[];
}

const BARS = [..."▁▂▃▄▅▆▇█"];

/** A sparkline as characters, with a `!` after each outlier and a space for a missing value. */
export function sparkText({ values, outliers }: Spark): string {
  const { low, high } = sparkRange(values);
  return values.map((value, index) => {
    if (value === null) return " ";
    const bar = Math.round((value - low) / (high - low) * (BARS.length - 1));
    return `${BARS[bar]}${outliers.includes(index) ? "!" : ""}`;
  }).join("");
}

/** The range of a sparkline: its values, and at least a tenth to either side of their middle. */
export function sparkRange(values: Spark["values"]): { low: number; high: number } {
  const known = values.filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const middle = (least + most) / 2;
  const room = Math.abs(middle) / 10 || 1;
  return { low: Math.min(least, middle - room), high: Math.max(most, middle + room) };
}
