import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import MarkdownIt from "npm:markdown-it@14.1.0";
import type { Report } from "../../lib/schema.ts";
import { escapeMarkdown } from "../../lib/report/escape.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { HOSTILE_TEXT, hostileReport, sampleReport } from "../support/sample_report.ts";

/** Strings made of what has a meaning somewhere, mixed with anything. */
const HOSTILE = fc.array(
  fc.oneof(
    fc.constantFrom(
      ..."|`<>&\\[]()!*_~#@:$-+={}\"'\n\r\t\0\x1b\u2028\u202e\u200b",
      "```",
      "<script>",
      "</details>",
      "-->",
      "![x](y)",
      "[a]: http://b",
      "https://a.b",
      "www.a.b",
      "a@b.cd",
      "1. ",
      "| - |",
      "\\|",
      "&#124;",
      HOSTILE_TEXT,
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

const WORDS = new Set([
  ...["passed", "failed", "skipped", "interrupted", "distribution", "scalar", "ns"],
  ...["embedded", "external", "exai", "higher", "lower", "measured", "given", "shards", "workers"],
]);

/** The report with `text` in every string that is not one of a fixed list of words. */
function poisoned(report: Report, text: string): Report {
  return JSON.parse(
    JSON.stringify(report),
    (_key, value) => typeof value === "string" && !WORDS.has(value) ? text : value,
  );
}

/** Asserts that all rows of every table have the columns of its heading. */
function assertTables(page: string): void {
  let columns = 0;
  for (const line of page.split("\n")) {
    if (!line.startsWith("|")) columns = 0;
    else if (columns === 0) columns = line.split("|").length;
    else assertEquals(line.split("|").length, columns, line);
  }
}

/** What a markdown parser with every extension that could do harm sees on a page. */
function tokenTypes(page: string): Set<string> {
  const types = new Set<string>();
  for (const token of new MarkdownIt({ html: true, linkify: true }).parse(page, {})) {
    types.add(token.type);
    for (const child of token.children ?? []) types.add(child.type);
  }
  return types;
}

/** The page without the one pair of tags of our own, which folds up many notes. */
function withoutFold(page: string): string {
  return page.replace(
    /^<details>\n<summary>Worth knowing \(\d+ notes\)<\/summary>\n\n((?:- .*\n)+)\n<\/details>$/m,
    "$1",
  );
}

const FORBIDDEN = ["html_inline", "html_block", "link_open", "image"];

Deno.test("hostile text in any place leaves every table and page of markdown whole", () => {
  const headings = (page: string) => page.match(/^## /gm)?.length;
  const expected = headings(renderMarkdown(hostileReport("harmless")));
  fc.assert(
    fc.property(HOSTILE, fc.boolean(), (text, everywhere) => {
      const report = everywhere ? poisoned(hostileReport("harmless"), text) : hostileReport(text);
      const page = withoutFold(renderMarkdown(report));
      assertTables(page);
      assert(!page.includes("<"));
      assertEquals(headings(page), expected);
      const types = tokenTypes(page);
      assertEquals(FORBIDDEN.filter((type) => types.has(type)), []);
    }),
    { numRuns: 60 },
  );
});

Deno.test("a name that looks like a domain's does not become a link", () => {
  for (
    const text of ["0.AC ", "evil.com", "a.io/x", "shop.info.", "b.xn--p1ai", "x.рф", "a.b.co-op"]
  ) {
    assertEquals(FORBIDDEN.filter((type) => tokenTypes(escapeMarkdown(text)).has(type)), [], text);
  }
});

Deno.test("escaped text is itself again once a parser has read it", () => {
  const plain = fc.string({ unit: "grapheme-ascii", minLength: 1 })
    .filter((text) => text.trim() !== "" && !text.includes("@"));
  fc.assert(
    fc.property(plain, (text) => {
      const [, inline] = new MarkdownIt({ html: true, linkify: true }).parse(
        escapeMarkdown(text),
        {},
      );
      const read = (inline.children ?? []).map(
        ({ type, content }: { type: string; content: string }) => {
          assertEquals(type, "text");
          return content;
        },
      ).join("");
      assertEquals(read, text.trim().replace(/\s+/g, " "));
    }),
  );
});

Deno.test("hostile text in any place adds no tag to the page", () => {
  const tags = (page: string) => new Set(page.match(/<[a-z/!?][^\s>]*/gi));
  const known = tags(renderHtml(sampleReport("failed")));
  fc.assert(
    fc.property(HOSTILE, (text) => {
      const page = renderHtml(poisoned(sampleReport("failed"), text));
      assertEquals([...tags(page)].filter((tag) => !known.has(tag)), []);
    }),
    { numRuns: 60 },
  );
});

Deno.test("hostile text in any place sends no control character to a terminal", () => {
  fc.assert(
    fc.property(HOSTILE, (text) => {
      const report = poisoned(sampleReport("failed"), text);
      const summary = renderTerminalSummary(report, { color: false, width: 80 });
      // deno-lint-ignore no-control-regex
      assertEquals(summary.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g), null);
      for (const line of summary.split("\n")) assert([...line].length <= 80, line);
    }),
    { numRuns: 60 },
  );
});
