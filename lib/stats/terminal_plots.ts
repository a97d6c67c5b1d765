import * as mitata from "mitata";

/** One box, in nanoseconds: whiskers end at `min` and `p99`, the mark is at `avg`. */
interface BoxRow {
  min: number;
  p25: number;
  avg: number;
  p75: number;
  p99: number;
}

/** mitata's renderers, which it exports without types. */
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

/** The narrowest plot that its three labels fit under. */
export const MINIMUM_BOX_WIDTH = 32;
/** Columns besides names and plot: a space and the frame on either side. */
export const BOX_FRAME_WIDTH = 3;

/**
 * Draws boxes on a common log scale, one row per name. Times under 1 ns count as 1 ns; not all of
 * them may be the same.
 *
 * @param options.width characters of the plot, without labels
 * @param options.format formats the labels of the scale
 */
export function renderBoxplot(
  rows: Record<string, BoxRow>,
  { width, colors, format }: { width: number; colors: boolean; format: (ns: number) => string },
): string[] {
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
