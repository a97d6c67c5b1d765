import { METHOD_NOTES } from "../method_notes.ts";
import { type Markup, markup } from "./markup.ts";

/** How the numbers are made, and where to read more. */
export function methodMarkup(): Markup {
  const notes = METHOD_NOTES.map(({ subject, text }) =>
    markup`<dt>${subject}</dt>
<dd>${text}</dd>`
  );
  return markup`<h2>How the numbers are made</h2>
<dl>
${notes}
</dl>
<p>Every formula, with its source, is in docs/method.md of the suite; every number of this page, and the
histograms, are in report.json.</p>
<p class="on-paper">The numbers of each chart are beneath it in report.html.</p>`;
}
