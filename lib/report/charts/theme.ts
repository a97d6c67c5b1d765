/**
 * Colours, sizes and the style sheet that all charts share.
 *
 * @module
 */

/** The width of every chart in pixels: that of the text on a page of documentation. */
export const CHART_WIDTH = 760;

/** What every chart's root has, in its style sheet and in a page's. */
export const CHART_CLASS = "bench-chart";

/** What each colour is on a light page. No two are the same: the style sheet tells them apart by it. */
export const COLORS = {
  background: "#ffffff",
  text: "#1f2328",
  muted: "#59636e",
  grid: "#d8dee4",
  blue: "#0969da",
  orange: "#bc4c00",
  purple: "#8250df",
  teal: "#0e7490",
  pink: "#bf3989",
  grey: "#818b98",
  green: "#1a7f37",
  red: "#cf222e",
} as const;
type ColorName = keyof typeof COLORS;

const DARK: Record<ColorName, string> = {
  background: "#0d1117",
  text: "#e6edf3",
  muted: "#9198a1",
  grid: "#2f353d",
  blue: "#58a6ff",
  orange: "#f0883e",
  purple: "#bc8cff",
  teal: "#39c5cf",
  pink: "#ff80c8",
  grey: "#7d8590",
  green: "#3fb950",
  red: "#ff7b72",
};

/** Colours of series in the order of their use; told apart by the colour-blind too. */
export const SERIES_COLORS = [
  COLORS.blue,
  COLORS.orange,
  COLORS.purple,
  COLORS.teal,
  COLORS.pink,
  COLORS.grey,
] as const;

/** What turns the colours of every chart's picture, which are those of a light page, on a dark one. */
export const CHART_RULES = (Object.keys(COLORS) as ColorName[]).map((name) =>
  ["fill", "stroke"].map((property) =>
    `.${CHART_CLASS} [${property}="${COLORS[name]}"]{${property}:${DARK[name]}}`
  ).join("")
).join("");

/**
 * The style sheet of every chart, the same to the byte. The colours in the picture itself are those of a
 * light page, so that a viewer without style sheets shows it right; this turns them on a dark one.
 */
export const CHART_STYLE = `@media (prefers-color-scheme:dark){${CHART_RULES}}`;
