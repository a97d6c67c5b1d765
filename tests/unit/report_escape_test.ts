import { assert, assertEquals } from "@std/assert";
import {
  escapeHtml,
  escapeMarkdown,
  escapeTerminal,
  markdownCode,
} from "../../lib/report/escape.ts";

Deno.test("escapeMarkdown() leaves ordinary words and numbers readable", () => {
  const texts = [
    "close 1008 Too many connections from your IP (10/10)",
    "2025-10-26 17:10 UTC",
    "3.90 ms to 4.10 ms",
    "user_rate_limit_exceeded (retry after 0.1s)",
    "stay under them with --max-rate.",
  ];
  for (const text of texts) assertEquals(escapeMarkdown(text), text);
});

Deno.test("escapeMarkdown() escapes everything with a meaning in Markdown", () => {
  const expected: [string, string][] = [
    ["a|b", "a&#124;b"],
    ["<b>", "&lt;b&gt;"],
    ["&lt;", "&amp;lt;"],
    ["`code`", "&#96;code&#96;"],
    ["a\\|b", "a&#92;&#124;b"],
    ["![i](x)", "!\\[i\\](x)"],
    ["_i_ *b* ~~s~~", "\\_i\\_ \\*b\\* \\~\\~s\\~\\~"],
    ["@everyone", "@&#8203;everyone"],
    ["https://a.b", "https&#58;//a.b"],
    ["WWW.a.b", "WWW&#46;a.b"],
    [":tada:", "&#58;tada:"],
    ["{{ x }}", "&#123;&#123; x &#125;&#125;"],
    ["$x$", "&#36;x&#36;"],
    ["# h", "\\# h"],
    ["- item", "\\- item"],
    ["1. item", "1\\. item"],
  ];
  for (const [text, escaped] of expected) assertEquals(escapeMarkdown(text), escaped);
});

Deno.test("escapeMarkdown() returns one line that is never empty", () => {
  assertEquals(escapeMarkdown(" a\r\n\n b\u2028c\u0085d\te "), "a b c d e");
  assertEquals(escapeMarkdown("\n"), "(empty)");
});

Deno.test("foreign text is cut at 2,000 characters", () => {
  assertEquals(escapeMarkdown("x".repeat(5000)).length, 2000);
});

Deno.test("control, invisible and direction characters become visible", () => {
  for (const hidden of ["\u0000", "\x1b", "\u009b", "\u202e", "\u2066", "\u200b"]) {
    assertEquals(escapeMarkdown(`a${hidden}b`), "a\ufffdb");
    assertEquals(escapeHtml(`a${hidden}b`), "a\ufffdb");
    assert(!escapeTerminal(`a${hidden}b`).includes(hidden));
  }
  assertEquals(escapeHtml("a\ud800b"), "a\ufffdb");
});

Deno.test("markdownCode() returns code only if nothing in the text can end it", () => {
  assertEquals(markdownCode("ws://127.0.0.1:8079/"), "`ws://127.0.0.1:8079/`");
  assertEquals(markdownCode("--tool-args {}"), "`--tool-args {}`");
  for (const text of ["a`b", "a|b", "a<b", "a\\", " a", "a\nb", "{{a}}", "ü", ""]) {
    assertEquals(markdownCode(text), escapeMarkdown(text));
  }
});

Deno.test("escapeHtml() is safe in quoted attributes", () => {
  assertEquals(escapeHtml(`<a b="c" d='e'>&`), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  assertEquals(escapeHtml("]]>"), "]]&gt;");
});

Deno.test("escapeTerminal() removes whole escape sequences", () => {
  assertEquals(escapeTerminal("\x1b[31mred\x1b[0m \x1b]0;title\x07x\b"), "red x");
});
