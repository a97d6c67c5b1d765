/**
 * How wide a line of text is, at most, in the sans-serif fonts that readers have.
 *
 * @module
 */

/** Shares of the font size: measured in DejaVu Sans, the widest of the common ones, and rounded up. */
const NARROW = 0.4;
const MIDDLE = 0.65;
const WIDE = 1;
const BOLD = 1.12;

/** The width in pixels of `text` in a CSS font such as `600 15px sans-serif`. */
export function textWidth(text: string, font = ""): number {
  const size = Number(/(\d+(?:\.\d+)?)px/.exec(font)?.[1] ?? 12);
  const weight = /\b(?:bold|[6-9]00)\b/.test(font) ? BOLD : 1;
  const shares = [...text].map((character) =>
    /[ .,:;|!'`ijlt()[\]f/]/.test(character)
      ? NARROW
      : /[\u0020-\u007e\u00a0-\u04ff–µ·±×]/.test(character) && !/[mwMW@%]/.test(character)
      ? MIDDLE
      : WIDE
  );
  return shares.reduce((sum, share) => sum + share, 0) * size * weight;
}
