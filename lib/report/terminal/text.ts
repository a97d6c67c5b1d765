/**
 * Plain text in lines and columns, and its colours.
 *
 * @module
 */

export type Style = "green" | "red" | "yellow" | "dim";

/** Between two columns. */
const GAP = "  ";

const CODES: Record<Style, number> = { green: 32, red: 31, yellow: 33, dim: 2 };

/** `text` in a style; as it is where `color` is false. */
export function paint(text: string, style: Style, color: boolean): string {
  return color ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}

/** Breaks text at spaces into lines of at most `width` characters; never empty. */
export function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ").flatMap((word) => split(word, width))) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (length(line) + 1 + length(word) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A word in pieces of at most `width` characters. */
function split(word: string, width: number): string[] {
  const characters = [...word];
  const pieces = [];
  for (let start = 0; start < characters.length; start += width) {
    pieces.push(characters.slice(start, start + width).join(""));
  }
  return pieces;
}

/** How to lay out columns; the last alignment holds for all further ones. */
export interface ColumnOptions {
  alignments: ("left" | "right")[];
  /** Characters that a line may have: columns at the end that do not fit are left out. */
  width: number;
}

/** Rows of cells as lines whose columns stand under one another, two spaces apart. */
export function columns(rows: string[][], { alignments, width }: ColumnOptions): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => length(row[column]))));
  let total = -GAP.length;
  const fitting = widths.filter((columnWidth) => (total += columnWidth + GAP.length) <= width);
  return rows.map((row) =>
    fitting.map((columnWidth, column) => {
      const padding = " ".repeat(columnWidth - length(row[column]));
      const alignment = alignments[Math.min(column, alignments.length - 1)];
      return alignment === "left" ? row[column] + padding : padding + row[column];
    }).join(GAP).trimEnd()
  );
}

/** Characters, not the code units of UTF-16. */
function length(text: string): number {
  return [...text].length;
}
