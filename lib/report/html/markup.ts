/**
 * HTML that cannot be injected into: whatever is put into a template is escaped, unless it came out
 * of a template itself.
 *
 * @module
 */

import { escapeHtml } from "../escape.ts";

/** HTML made by {@linkcode html}. */
export interface Markup {
  readonly markup: string;
}

/** What a template takes: strings and numbers are text, the rest is HTML already. */
export type Content = string | number | Markup | readonly Markup[];

/** A piece of HTML with every string in it escaped, fit for elements and quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  const parts = strings.map((text, index) => index === 0 ? text : render(values[index - 1]) + text);
  return { markup: parts.join("") };
}

function render(value: Content): string {
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("\n");
}

/** The rows of plain text as a table that scrolls on its own where it is too wide for the page. */
export function tableMarkup(label: string, headings: readonly string[], rows: string[][]): Markup {
  return frame(
    label,
    headings,
    rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`),
  );
}

/** A table whose rows are made by the caller, in the same frame. */
export function frame(label: string, headings: readonly string[], rows: Markup[]): Markup {
  return html`
    <div class="scroll" role="region" aria-label="${label}" tabindex="0">
      <table>
        <thead>
          <tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr>
        </thead>
        <tbody>
    ${rows}
        </tbody>
      </table>
    </div>
  `;
}
