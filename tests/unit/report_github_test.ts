import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import { defuseCommands } from "../../lib/cli/invocation.ts";
import type { Report } from "../../lib/schema.ts";
import { escapeCommandProperty, escapeCommandText } from "../../lib/report/escape.ts";
import { renderAnnotations, renderStepSummary } from "../../lib/report/export/github.ts";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import {
  HOSTILE_TEXT,
  hostileReport,
  SAMPLE_KINDS,
  sampleReport,
} from "../support/sample_report.ts";

interface Command {
  name: string;
  properties: Record<string, string>;
  text: string;
}

const decode = (text: string, codes: Record<string, string>) =>
  text.replace(/%(25|0D|0A|3A|2C)/g, (code) => codes[code] ?? code);
const TEXT_CODES = { "%25": "%", "%0D": "\r", "%0A": "\n" };

/** The command in a line as GitHub's runner reads it, in the current or the old form, or `null`. */
function readCommand(line: string): Command | null {
  const trimmed = line.trimStart();
  const [, name, rest, text] = /^::([^\s:]+)(?: ([^:]*))?::(.*)$/s.exec(trimmed) ?? [];
  if (name !== undefined) {
    const pairs = (rest ?? "").split(",").filter((pair) => pair !== "");
    return {
      name,
      properties: Object.fromEntries(pairs.map((pair) => {
        const [key = "", ...value] = pair.split("=");
        return [key, decode(value.join("="), { ...TEXT_CODES, "%3A": ":", "%2C": "," })];
      })),
      text: decode(text!, TEXT_CODES),
    };
  }
  const [, old] = /##\[([^\]\s]+)[^\]]*\]/.exec(line) ?? [];
  return old === undefined ? null : { name: old, properties: {}, text: "" };
}

const INJECTIONS = [
  "::error::x",
  "\n::add-mask::x",
  "\r\n  ::stop-commands::x",
  "##[error]x",
  "a ##[add-path]x",
  "\u2028::warning::x",
];

function commandsOf(report: Report): (Command | null)[] {
  return renderAnnotations(report).split("\n").slice(0, -1).map(readCommand);
}

Deno.test("reasons are errors, doubts are warnings, and the verdict is a notice", () => {
  const report = sampleReport("failed");
  const commands = commandsOf(report);
  const doubts = report.scenarios.flatMap(({ validity }) => validity.warnings);
  assert(doubts.length > 0);
  assertEquals(commands.map((command) => command?.name), [
    ...["error", "warning", ...doubts.map(() => "warning"), "notice"],
  ]);
  assertEquals(commands[0]!.properties, { title: "exai-ws-bench: message-throughput" });
  assertEquals(commands[0]!.text, report.verdict.reasons[0]!.message);
  assertStringIncludes(commands[1]!.text, "rate limiter refused call 51 of a session");
  assertEquals(commands[2]!.text, doubts[0]!.message);
  assertEquals(commands.at(-1)!.text, "FAILED: a check failed: 6 of 7 scenarios passed in 41 s");
});

Deno.test("a passed run is one notice, an interrupted one has an error", () => {
  assertEquals(
    renderAnnotations(sampleReport("passed")),
    "::notice title=exai-ws-bench::PASSED: 7 of 7 scenarios passed in 41 s\n",
  );
  const report = sampleReport("interrupted");
  report.verdict.reasons = [];
  assertStringIncludes(commandsOf(report)[0]!.text, "The run was interrupted");
});

Deno.test("a comparison is a notice that names what changed, and each regression is one error", () => {
  const report = sampleReport("compared");
  const texts = (name: string) =>
    commandsOf(report).flatMap((command) => command?.name === name ? [command.text] : []);
  assertEquals(
    texts("notice")[0],
    "Comparison: 1 slower (message-throughput latency p50), 1 undecided",
  );
  assertEquals(texts("error"), [report.verdict.reasons[0]!.message]);
  report.verdict = { status: "passed", exitCode: 0, reasons: [] };
  assertEquals(texts("error"), report.comparison!.regressions);
});

Deno.test("there are at most ten annotations of a level, and the last counts the rest", () => {
  const report = sampleReport("failed");
  report.verdict.reasons = Array.from({ length: 25 }, (_, index) => (
    { code: 1, kind: "check", scenario: null, message: `reason ${index}` }
  ));
  const errors = commandsOf(report).filter((command) => command?.name === "error");
  assertEquals(errors.length, 10);
  assertEquals(errors.at(-1)!.text, "and 16 more: see the reports");
});

Deno.test("no text from the server becomes a command or ends one", () => {
  for (const text of [HOSTILE_TEXT, ...INJECTIONS, "50%0A::error::x", "a,title=b:c"]) {
    const report = hostileReport(text);
    const commands = commandsOf(report);
    for (const command of commands) {
      assert(command !== null && ["error", "warning", "notice"].includes(command.name));
      assertEquals(Object.keys(command.properties), ["title"]);
    }
    assert(commands.length > 3);
  }
});

Deno.test("property: text escaped for a command is one line that reads back unchanged", () => {
  const line = fc.string({ unit: "grapheme-ascii", minLength: 1 })
    .map((text) => text.trim().replace(/\s+/g, " "));
  fc.assert(fc.property(line, line, (title, text) => {
    const command = readCommand(
      `::error title=${escapeCommandProperty(title)}::${escapeCommandText(text)}`,
    );
    assertEquals(command, { name: "error", properties: { title }, text });
  }));
  assert(!/[\r\n]/.test(escapeCommandText("a\r\nb")));
  assertEquals(readCommand(`::error::${escapeCommandText("5 %0A::x %25")}`)!.text, "5 %0A::x %25");
});

Deno.test("defused output contains no command, and keeps its lines", () => {
  for (const text of INJECTIONS) {
    assert(text.split(/\r\n|[\r\n\u2028]/).some((part) => readCommand(part) !== null), text);
    const defused = defuseCommands(`first ${text}\n${text}`);
    for (const part of defused.split(/\r\n|[\r\n\u2028]/)) assertEquals(readCommand(part), null);
  }
  const tokens = ["::", ":", "##[", "#", "[", "]", "error", " ", "\n", "\t", "\u0085"];
  const parts = fc.constantFrom(...tokens);
  fc.assert(fc.property(fc.array(parts, { maxLength: 12 }), (given) => {
    const defused = defuseCommands(given.join(""));
    assert(!/^\s*::/m.test(defused) && !defused.includes("##["), JSON.stringify(defused));
    assertEquals(defused.split("\n").length, given.join("").split("\n").length);
  }));
  for (const plain of ["ws://[::1]:8079", "a::b", "# [x]", "report: x"]) {
    assertEquals(defuseCommands(plain), plain);
  }
});

Deno.test("a terminal summary is defused as a whole", () => {
  for (const text of INJECTIONS) {
    for (const width of [40, 60, 100]) {
      const report = hostileReport(`word ${text} ${text}`);
      const summary = renderTerminalSummary(report, { color: false, width });
      for (const line of defuseCommands(summary).split("\n")) assertEquals(readCommand(line), null);
    }
  }
});

Deno.test("the step summary has the verdict, the numbers, the scenarios and the comparison", () => {
  const page = renderStepSummary(sampleReport("failed"));
  for (const part of ["# ", "FAILED: a check failed", "98 of 100 calls were not served"]) {
    assertStringIncludes(page, part);
  }
  const compared = renderStepSummary(sampleReport("compared"));
  for (const part of ["Comparison", "1 slower, 1 undecided", "message-throughput.latency.p95"]) {
    assertStringIncludes(compared, part);
  }
  assert(!/!\[|\]\((?!#)/.test(compared), "no picture, no link into another file");
});

Deno.test("the step summary is short, however long the report", () => {
  for (const kind of SAMPLE_KINDS.filter((kind) => kind !== "hostile")) {
    assert(renderStepSummary(sampleReport(kind)).length < 24 * 1024, kind);
  }
  const report = hostileReport(HOSTILE_TEXT.repeat(20));
  const [row] = report.comparison!.rows;
  report.comparison!.rows = Array(2000).fill(row);
  report.verdict.reasons = Array.from({ length: 3000 }, (_, index) => (
    { code: 1, kind: "check", scenario: null, message: `${index} ${"€".repeat(1000)}` }
  ));
  const page = renderStepSummary(report);
  assert(new TextEncoder().encode(page).length <= 512 * 1024);
  assert(page.endsWith("Cut here: see the reports for the rest.\n"));
});

Deno.test("a step summary cut inside a fold closes it before it says so", () => {
  const report = sampleReport("phase2");
  const [scenario] = report.scenarios;
  scenario!.checks = Array.from({ length: 10_000 }, (_, index) => (
    {
      kind: "check",
      name: `check ${index} ${"x".repeat(90)}`,
      passed: true,
      expected: "yes",
      observed: "yes",
    }
  ));
  const page = renderStepSummary(report);
  assert(page.endsWith("</details>\n\nCut here: see the reports for the rest.\n"));
});
