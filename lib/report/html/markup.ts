/**
 * HTML that cannot be injected into: whatever is put into a template is escaped, unless it came out
 * of a template itself.
 *
 * @module
 */

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

/** Items as the lines of a list. */
export function items(values: readonly string[]): Markup[] {
  return values.map((value) => markup`<li>${value}</li>`);
}

/** Rows of plain text as a table that scrolls on its own where it is too wide for the page. */
export function table(label: string, headings: readonly string[], rows: string[][]): Markup {
  return frame(label, headings, rows.map((row) => markup`<tr>${cells(row)}</tr>`));
}

/** The cells of one row, on one line. */
export function cells(row: readonly string[]): Markup {
  return { html: row.map((cell) => markup`<td>${cell}</td>`.html).join("") };
}

/** A table whose rows are made by the caller, in the same frame. */
export function frame(label: string, headings: readonly string[], rows: Markup[]): Markup {
  const head = headings.map((heading) => markup`<th scope="col">${heading}</th>`);
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>
${head}
</tr></thead>
<tbody>
${rows}
</tbody></table></div>`;
}
