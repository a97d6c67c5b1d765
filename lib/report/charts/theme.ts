/**
 * The width of every chart in pixels: two fit side by side on a page of 1,100 px, and on a phone of
 * 390 px their text is still 9 px.
 */
export const CHART_WIDTH = 520;
export const FONT_SIZE = 13;

/** The class of every chart's root. */
const CHART_CLASS = "bench-chart";

/** Colours on light and dark pages, all different: the style sheet finds them by value. */
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

/** Colours of series in the order of use, distinguishable for colour-blind readers. */
export const SERIES_COLORS = (["blue", "orange", "purple", "teal", "pink", "grey"] as const)
  .map((name) => COLORS[name]);

const PAINT = ENTRIES.flatMap(([name, [light]]) =>
  ["fill", "stroke"].map((property) =>
    `.${CHART_CLASS} [${property}="${light}"]{${property}:var(--chart-${name},${light})}`
  )
).join("");
const DARK = ENTRIES.map(([name, [, dark]]) => `--chart-${name}:${dark}`).join(";");

/**
 * The style sheet of every chart. Charts are drawn in light colours, so viewers without style sheets
 * show them right; variables replace them on dark screens, and a page can set `--chart-…` itself.
 */
export const CHART_STYLE =
  `${PAINT}@media screen and (prefers-color-scheme:dark){.${CHART_CLASS}{${DARK}}}`;

/** The first characters of the figure `id`, by which the suite recognises its own files. */
export function figureSignature(id: string): string {
  return `<svg class="${CHART_CLASS}" id="chart-${id}"`;
}
