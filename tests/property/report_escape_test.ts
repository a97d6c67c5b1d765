import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import MarkdownIt from "npm:markdown-it@14.1.0";
import { escapeMarkdown } from "../../lib/report/escape.ts";
import { renderHtml } from "../../lib/report/render/html.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import type { Report } from "../../lib/schema.ts";
import { repeats } from "../support/repeats.ts";
import { HOSTILE_TEXT, hostileReport } from "../support/sample_report.ts";

/** Strings of characters with a meaning in some format, mixed with random ones. */
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

const RUNS = { numRuns: repeats(6, 200) };

/** A hostile report, as a page of this profile. */
function hostile(text: string, profile: string): Report {
  return { ...hostileReport(text), ...(profile === "" ? {} : { profile }) };
}

const PROFILES = ["", "phase2", "phase3"];
const PROFILE = fc.constantFrom(...PROFILES);

/** Reads a page of each profile with harmless text. */
function harmless<T>(read: (report: Report) => T): ReadonlyMap<string, T> {
  return new Map(PROFILES.map((profile) => [profile, read(hostile("harmless", profile))]));
}

function markdownOf(report: Report, titleLevel: 0 | 1 = 1): string {
  const document = buildDocument(report, { charts: new Map(), audience: "page" });
  return renderMarkdown(document, { chartPath: () => null, titleLevel });
}

/** Asserts that all rows of a table have as many columns as its heading. */
function assertTables(page: string): void {
  let columns = 0;
  for (const line of page.split("\n")) {
    if (!line.startsWith("|")) columns = 0;
    else if (columns === 0) columns = line.split("|").length;
    else assertEquals(line.split("|").length, columns, line);
  }
}

/** Tokens that a markdown parser with all risky extensions finds, except links within the page. */
function tokenTypes(page: string): Set<string> {
  const types = new Set<string>();
  for (const token of new MarkdownIt({ html: true, linkify: true }).parse(page, {})) {
    for (const one of [token, ...token.children ?? []]) {
      if (one.type !== "link_open" || !one.attrGet("href")?.startsWith("#")) types.add(one.type);
    }
  }
  return types;
}

/** The page without its own `<details>` tags. */
function withoutFolds(page: string): string {
  return page.replace(/^(?:<details><summary>[\w ,;–%.]*<\/summary>|<\/details>)$/gm, "");
}

const FORBIDDEN = ["html_inline", "html_block", "link_open", "image"];

Deno.test("hostile text anywhere leaves markdown pages and their tables intact", () => {
  const headings = (page: string) => page.match(/^#{1,5} /gm)?.length;
  const expected = harmless((report) => headings(markdownOf(report)));
  fc.assert(
    fc.property(HOSTILE, PROFILE, (text, profile) => {
      const page = withoutFolds(markdownOf(hostile(text, profile)));
      assertTables(page);
      assert(!page.includes("<"), page.match(/.*<.*/)?.[0]);
      assertEquals(headings(page), expected.get(profile));
      const types = tokenTypes(page);
      assertEquals(FORBIDDEN.filter((type) => types.has(type)), []);
    }),
    RUNS,
  );
});

Deno.test("text that looks like a domain name does not become a link", () => {
  const names = ["0.AC ", "evil.com", "a.io/x", "shop.info.", "b.xn--p1ai", "x.рф", "a.b.co-op"];
  for (const text of names) {
    assertEquals(FORBIDDEN.filter((type) => tokenTypes(escapeMarkdown(text)).has(type)), [], text);
  }
});

Deno.test("a markdown parser reads escaped text as the original", () => {
  const plain = fc.string({ unit: "grapheme-ascii", minLength: 1 })
    .filter((text) => text.trim() !== "" && !text.includes("@"));
  fc.assert(
    fc.property(plain, (text) => {
      const parser = new MarkdownIt({ html: true, linkify: true });
      const [, inline] = parser.parse(escapeMarkdown(text), {});
      const tokens: { type: string; content: string }[] = inline.children ?? [];
      for (const { type } of tokens) assertEquals(type, "text");
      const read = tokens.map(({ content }) => content).join("");
      assertEquals(read, text.trim().replace(/\s+/g, " "));
    }),
  );
});

Deno.test("hostile text anywhere adds no tag and no attribute to the page", () => {
  const shape = (report: Report) => {
    const html = renderHtml(buildDocument(report, { charts: new Map(), audience: "page" }));
    const body = html.slice(html.indexOf("<body>"), html.indexOf('<script type="module">'));
    const tags = body.matchAll(/<(\/?[a-z0-9]+)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>|<(.{0,20})/g);
    return new Set(tags.map(([, tag, attributes = "", rest]) => {
      const names = attributes.replaceAll(/="[^"]*"/g, "").trim().split(/\s+/);
      return [rest ?? tag, ...names].join(" ");
    }));
  };
  const expected = harmless(shape);
  fc.assert(
    fc.property(HOSTILE, PROFILE, (text, profile) => {
      const known = expected.get(profile)!;
      assertEquals([...shape(hostile(text, profile))].filter((tag) => !known.has(tag)), []);
    }),
    RUNS,
  );
});

Deno.test("hostile text anywhere sends no control character to a terminal", () => {
  fc.assert(
    fc.property(HOSTILE, (text) => {
      const summary = renderTerminalSummary(hostileReport(text), { color: false, width: 80 });
      // deno-lint-ignore no-control-regex
      assertEquals(summary.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g), null);
      for (const line of summary.split("\n")) assert([...line].length <= 80, line);
    }),
    RUNS,
  );
});
