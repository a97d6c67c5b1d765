/**
 * The cells of tables: text, and numbers that a page can sort by without reading their text.
 *
 * @module
 */

/** A number with the text that shows it. */
export interface Quantity {
  text: string;
  value: number;
  /** What the value is in, where a column holds several units: only values of one unit have an order. */
  unit?: string;
}

/** A cell of a table: text, or a quantity. What was not measured is text, a dash. */
export type Cell = string | Quantity;

/** A value as `format` writes it; one that is not known is only text. */
export function quantity(value: number | null, format: (value: number | null) => string): Cell {
  const text = format(value);
  return value === null || !Number.isFinite(value) ? text : { text, value };
}

/** A value by the name of its unit, in a column that holds several. */
export function unitQuantity(
  value: number | null,
  { unit, format }: { unit: string; format: (value: number | null, unit: string) => string },
): Cell {
  const cell = quantity(value, (value) => format(value, unit));
  return typeof cell === "string" ? cell : { ...cell, unit };
}

/** What a cell shows. */
export function cellText(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

/** Rows as plain text, for formats that only show them. */
export function textRows(rows: readonly (readonly Cell[])[]): string[][] {
  return rows.map((row) => row.map(cellText));
}
