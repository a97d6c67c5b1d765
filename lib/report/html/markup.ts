/**
 * HTML that cannot be injected into: whatever is put into a template is escaped, unless it came out
 * of a template itself.
 *
 * @module
 */

import { type Cell, cellText } from "../cells.ts";
import { escapeHtml } from "../escape.ts";

/** HTML made by {@linkcode markup}. */
export interface Markup {
  readonly html: string;
}

/** What a template takes: strings and numbers are text, the rest is HTML already. */
export type Content = string | number | Markup | readonly Markup[];

/** A piece of HTML with every string in it escaped, fit for elements and quoted attributes. */
export function markup(strings: TemplateStringsArray, ...values: Content[]): Markup {
  const parts = strings.map((text, index) => index === 0 ? text : render(values[index - 1]) + text);
  return { html: parts.join("") };
}

function render(value: Content): string {
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  return "html" in value ? value.html : value.map(({ html }) => html).join("\n");
}

/** Pieces on one line. */
export function inline(pieces: readonly Markup[]): Markup {
  return { html: pieces.map(({ html }) => html).join("") };
}

/** Items as the lines of a list. */
export function items(values: readonly string[]): Markup[] {
  return values.map((value) => markup`<li>${value}</li>`);
}

/**
 * Rows as a table that scrolls on its own where it is too wide for the page. By what a column can be sorted
 * is in its heading and cells; the sorting itself is the page's script.
 */
export function table(
  label: string,
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): Markup {
  const orders = headings.map((_, index) => orderOf(rows.map((row) => row[index] ?? ""), index));
  const heads = headings.map((heading, index) => headingMarkup(heading, orders[index]!));
  return frame(label, heads, rows.map((row) => markup`<tr>${cells(row, orders)}</tr>`));
}

/** A table whose headings and rows are made by the caller, in the same frame. */
export function frame(
  label: string,
  headings: readonly (string | Markup)[],
  rows: Markup[],
): Markup {
  const head = headings.map((heading) =>
    typeof heading === "string" ? headingMarkup(heading, null) : heading
  );
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>
${head}
</tr></thead>
<tbody>
${rows}
</tbody></table></div>`;
}

/** By what a column is sorted; `null`: its order would say nothing. */
type Order = "number" | "text" | null;

/** Quantities by their value, names by their text. Other text, such as a range, has no order. */
function orderOf(column: readonly Cell[], index: number): Order {
  if (column.length < 2) return null;
  if (column.some((cell) => typeof cell !== "string")) return "number";
  const areWords = column.every((cell) => /^(?:|–|\D*\p{L}\D*)$/u.test(cellText(cell)));
  return index === 0 || areWords ? "text" : null;
}

function headingMarkup(heading: string, order: Order): Markup {
  return order === null
    ? markup`<th scope="col">${heading}</th>`
    : markup`<th scope="col" data-order="${order}">${heading}</th>`;
}

/** The cells of one row, on one line; a dash in a column of numbers stands where they do. */
export function cells(row: readonly Cell[], orders: readonly Order[] = []): Markup {
  return inline(row.map((cell, index) => {
    if (typeof cell === "string") {
      return orders[index] === "number"
        ? markup`<td class="number">${cell}</td>`
        : markup`<td>${cell}</td>`;
    }
    const unit = cell.unit === undefined ? "" : markup` data-unit="${cell.unit}"`;
    return markup`<td data-value="${cell.value}"${unit}>${cell.text}</td>`;
  }));
}
