import * as mitata from "mitata";

/** The figures of one box, in nanoseconds; its whiskers end at `min` and `p99`, its mark is at `avg`. */
interface BoxRow {
  min: number;
  p25: number;
  avg: number;
  p75: number;
  p99: number;
}

/** mitata's own renderers, which it exports without types. */
const { $: renderers } = mitata as unknown as {
  $: {
    boxplot: {
      ascii(
        rows: Record<string, BoxRow>,
        keyWidth: number,
        width: number,
        options: { colors: boolean; fmt: (value: number) => string },
      ): string[];
    };
  };
};

/** The narrowest boxplot whose three labels fit beneath it. */
export const MINIMUM_BOX_WIDTH = 32;
/** Columns of a boxplot beside its names and its plot: a space, and the frame on either side. */
export const BOX_FRAME_WIDTH = 3;

/**
 * Boxes for the terminal on one common log scale, a row for each name; anything under 1 ns counts as that.
 *
 * @param options.width characters of the plot itself, without its labels
 * @param options.format writes the labels of the scale, of nanoseconds
 * @throws {RangeError} if all figures of all rows are the same, so that there is no scale
 */
export function renderBoxplot(
  rows: Record<string, BoxRow>,
  { width, colors, format }: { width: number; colors: boolean; format: (ns: number) => string },
): string[] {
  const values = Object.values(rows).flatMap(({ min, p99 }) => [min, p99]);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  if (!(highest > lowest)) {
    throw new RangeError(`Cannot draw boxes as their scale is empty: ${lowest} to ${highest} ns`);
  }
  const log = (ns: number) => Math.log(Math.max(1, ns));
  const boxes = Object.entries(rows).map(([name, { min, p25, avg, p75, p99 }]) => [
    name,
    { min: log(min), p25: log(p25), avg: log(avg), p75: log(p75), p99: log(p99) },
  ]);
  return renderers.boxplot.ascii(
    Object.fromEntries(boxes),
    Math.max(...Object.keys(rows).map((name) => name.length)),
    Math.max(MINIMUM_BOX_WIDTH, width),
    { colors, fmt: (value) => format(Math.exp(value)) },
  );
}
