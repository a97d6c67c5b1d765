import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findings } from "../../lib/report/findings.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { columns, wrap } from "../../lib/report/terminal/text.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[0-9;]*m/g;

Deno.test("without colour there is no control character but the line break", () => {
  for (const kind of SAMPLE_KINDS) {
    const text = renderTerminalSummary(sampleReport(kind), { color: false, width: 80 });
    // deno-lint-ignore no-control-regex
    assertEquals(text.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/g), null);
  }
});

Deno.test("colour changes nothing but the colour", () => {
  for (const kind of SAMPLE_KINDS) {
    const plain = renderTerminalSummary(sampleReport(kind), { color: false, width: 100 });
    const colored = renderTerminalSummary(sampleReport(kind), { color: true, width: 100 });
    assert(colored.includes("\x1b["));
    assertEquals(colored.replace(COLOR, ""), plain);
  }
});

Deno.test("no line is longer than the window", () => {
  for (const kind of SAMPLE_KINDS) {
    for (const width of [40, 41, 60, 80, 120]) {
      const text = renderTerminalSummary(sampleReport(kind), { color: false, width });
      for (const line of text.split("\n")) assert([...line].length <= width, `${width}: ${line}`);
    }
  }
});

Deno.test("a narrow window keeps the median, a wide one all columns", () => {
  const at = (width: number) =>
    renderTerminalSummary(sampleReport("passed"), { color: false, width });
  const row = /^✓ {2}message-throughput +500\/500 +0\.82 ms +1\.31 ms/m;
  assert(row.test(at(60)));
  assert(!at(60).includes("1,151 msg/s"));
  assert(/^✓ {2}message-throughput .* 1,151 msg\/s +latency$/m.test(at(80)));
  assertEquals(at(20), at(40));
});

Deno.test("the verdict comes first, with its reasons and warnings after the table", () => {
  const text = renderTerminalSummary(sampleReport("failed"), { color: false, width: 120 });
  assert(text.startsWith("FAILED  5 of 6 scenarios passed, 1 failed in 41.2 s\n"));
  assertStringIncludes(text, "an external server: ws://bench.example:8079/");
  assertStringIncludes(text, "✗  message-throughput");
  assertStringIncludes(text, "PROBLEM Message Throughput: 98 of 100 messages were not served");
  assertStringIncludes(text, "WARNING Message Throughput: The server's rate limiter began at");
});

Deno.test("a run that ended in the preflight shows its cause and no table", () => {
  const text = renderTerminalSummary(sampleReport("preflight_failure"), {
    color: false,
    width: 80,
  });
  assert(text.startsWith("NOT MEASURED"));
  assertStringIncludes(text, "try status");
  assert(!text.includes("median"));
});

Deno.test("wrap() breaks at spaces, and words that are too long", () => {
  assertEquals(wrap("aa bb cc", 5), ["aa bb", "cc"]);
  assertEquals(wrap("abcdefg hi", 3), ["abc", "def", "g", "hi"]);
  assertEquals(wrap("", 3), [""]);
});

Deno.test("columns() leaves out what does not fit", () => {
  const rows = [["a", "b"], ["aaa", "bbb"]];
  assertEquals(columns(rows, { alignments: ["left", "right"], width: 8 }), [
    "a      b",
    "aaa  bbb",
  ]);
  assertEquals(columns(rows, { alignments: ["left", "right"], width: 7 }), ["a", "aaa"]);
});

Deno.test("of many notes the first six are shown, and every warning", () => {
  const report = sampleReport("passed");
  report.scenarios[0].notes = Array.from({ length: 9 }, (_, index) => `note number ${index + 1}`);
  report.scenarios[1].validity.warnings = Array.from(
    { length: 9 },
    (_, index) => `warning ${index}`,
  );
  report.scenarios[1].validity.valid = false;
  const text = renderTerminalSummary(report, { color: false, width: 80 });
  assertEquals(text.match(/^WARNING /gm)?.length, 9);
  assertEquals(text.match(/^NOTE /gm)?.length, 6);
  const all = findings(report).filter(({ level }) => level === "note").length;
  assertStringIncludes(text, `\n        and ${all - 6} notes more in the reports\n`);
  report.scenarios[0].notes.length = 0;
  assert(
    !renderTerminalSummary(report, { color: false, width: 80 }).includes("more in the reports"),
  );
});
