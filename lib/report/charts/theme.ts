/**
 * Colours, sizes and the style sheet that all charts share.
 *
 * @module
 */

/**
 * The width of every chart in pixels. Here the text is 13 px; two charts stand side by side on a page of
 * 1,100 px, and on a phone of 390 px the text is still 9 px.
 */
export const CHART_WIDTH = 520;
export const FONT_SIZE = 13;

/** What the root of every chart has, in its own style sheet and in a page's. */
export const CHART_CLASS = "bench-chart";

/** Each colour on a light page, and on a dark one. No two are the same: the style sheet finds them by value. */
const PALETTE = {
  background: ["#ffffff", "#0d1117"],
  text: ["#1f2328", "#e6edf3"],
  muted: ["#59636e", "#9198a1"],
  grid: ["#d8dee4", "#2f353d"],
  blue: ["#0969da", "#58a6ff"],
  orange: ["#bc4c00", "#f0883e"],
  purple: ["#8250df", "#bc8cff"],
  teal: ["#0e7490", "#39c5cf"],
  pink: ["#bf3989", "#ff80c8"],
  grey: ["#818b98", "#7d8590"],
  green: ["#1a7f37", "#3fb950"],
  red: ["#cf222e", "#ff7b72"],
} as const;
type ColorName = keyof typeof PALETTE;

const ENTRIES = Object.entries(PALETTE);

export const COLORS = Object.fromEntries(
  ENTRIES.map(([name, [light]]) => [name, light]),
) as Record<ColorName, string>;

/** Colours of series in the order of their use; the colour-blind can tell them apart too. */
export const SERIES_COLORS = (["blue", "orange", "purple", "teal", "pink", "grey"] as const)
  .map((name) => COLORS[name]);

const PAINT = ENTRIES.flatMap(([name, [light]]) =>
  ["fill", "stroke"].map((property) =>
    `.${CHART_CLASS} [${property}="${light}"]{${property}:var(--chart-${name},${light})}`
  )
).join("");
const DARK = ENTRIES.map(([name, [, dark]]) => `--chart-${name}:${dark}`).join(";");

/**
 * The style sheet of every chart, the same to the byte. The colours in the picture are those of a light page, so
 * that viewers without style sheets show it right; on a dark screen (never on paper) variables replace them, and
 * a page may set `--chart-…` itself.
 */
export const CHART_STYLE =
  `${PAINT}@media screen and (prefers-color-scheme:dark){.${CHART_CLASS}{${DARK}}}`;

/** The beginning of every figure called `id`: what a file must have to be one of ours. */
export function figureSignature(id: string): string {
  return `<svg class="${CHART_CLASS}" id="chart-${id}"`;
}
