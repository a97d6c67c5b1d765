import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { markup } from "../../lib/report/html/markup.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { keyNumbers } from "../../lib/report/key_numbers.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

/** Every tag of a page, without its attributes. */
function tags(page: string): string[] {
  return page.match(/<[a-z/!][a-z0-9]*/gi) ?? [];
}

Deno.test("the policy allows this style and nothing else", async () => {
  const page = renderHtml(sampleReport("passed"));
  const style = page.match(/<style>([\s\S]*)<\/style>/)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const policy = page.match(/http-equiv="Content-Security-Policy" content="([^"]*)"/)?.[1];
  assertEquals(
    policy?.replaceAll("&#39;", "'"),
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
  );
});

Deno.test("the page loads nothing, runs nothing and has no inline style", () => {
  for (const kind of SAMPLE_KINDS) {
    const all = new Set(tags(renderHtml(sampleReport(kind))));
    for (const tag of ["<script", "<img", "<a", "<link", "<iframe", "<form"]) assert(!all.has(tag));
    assert(!/<[^>]* style=/.test(renderHtml(sampleReport(kind))));
  }
});

Deno.test("the first screen has the verdict, the five numbers and what is wrong", () => {
  const report = sampleReport("failed");
  const first = renderHtml(report).split("<h2>Insights</h2>")[0];
  assertStringIncludes(first, "❌ FAILED: 5 of 6 scenarios passed, 1 failed");
  assertStringIncludes(first, "an external server (<code>ws://bench.example:8079/</code>)");
  for (const { label, value } of keyNumbers(report)) {
    assertStringIncludes(first, `<span class="label">${label}</span>\n<strong>${value}</strong>`);
  }
  assertStringIncludes(first, "98 of 100 messages were not served");
  assertStringIncludes(first, "limiter began at message 51");
});

Deno.test("every check is there with what was expected and observed", () => {
  const page = renderHtml(sampleReport("failed"));
  assertStringIncludes(
    page,
    '<tr class="failed"><td>❌</td><td>every message was served</td><td>100 of 100</td>' +
      "<td>2 of 100</td></tr>",
  );
  const report = sampleReport("failed");
  const checks = report.preflight.length +
    report.scenarios.reduce((sum, { checks }) => sum + checks.length, 0);
  assertEquals(page.match(/<tr class="(?:passed|failed)">/g)?.length, checks);
});

Deno.test("all tables have as many cells in a row as headings", () => {
  for (const kind of SAMPLE_KINDS) {
    const tables = renderHtml(sampleReport(kind)).match(/<table>[\s\S]*?<\/table>/g) ?? [];
    assert(tables.length >= 1);
    for (const table of tables) {
      const [head, body] = table.split("<tbody>");
      const headings = head.match(/<th /g)?.length;
      for (const row of body.match(/<tr[\s\S]*?<\/tr>/g) ?? []) {
        assertEquals(row.match(/<td>/g)?.length, headings, row);
      }
    }
  }
});

Deno.test("markup`` escapes what is put in, except what it made itself", () => {
  const inner = markup`<b>${"<i>"}</b>`;
  assertEquals(
    markup`<p title="${'"'}">${inner} ${[inner, inner]} ${3}</p>`.html,
    '<p title="&quot;"><b>&lt;i&gt;</b> <b>&lt;i&gt;</b>\n<b>&lt;i&gt;</b> 3</p>',
  );
});

Deno.test("hostile text adds no tag", () => {
  const hostile = new Set(tags(renderHtml(sampleReport("hostile"))));
  const harmless = new Set(tags(renderHtml(sampleReport("failed"))));
  assertEquals([...hostile].filter((tag) => !harmless.has(tag)), []);
});
