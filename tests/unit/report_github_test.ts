import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import type { Report } from "../../lib/schema.ts";
import {
  defuseCommands,
  escapeCommandProperty,
  escapeCommandText,
} from "../../lib/report/escape.ts";
import { findings } from "../../lib/report/findings.ts";
import { renderAnnotations } from "../../lib/report/github/annotations.ts";
import { renderStepSummary } from "../../lib/report/github/step_summary.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import {
  HOSTILE_TEXT,
  hostileReport,
  SAMPLE_KINDS,
  sampleReport,
  sampleScenario,
} from "../support/sample_report.ts";

interface Command {
  name: string;
  properties: Record<string, string>;
  text: string;
}

const decode = (text: string, codes: Record<string, string>) =>
  text.replace(/%(25|0D|0A|3A|2C)/g, (code) => codes[code] ?? code);
const TEXT_CODES = { "%25": "%", "%0D": "\r", "%0A": "\n" };

/** A line as GitHub's runner reads it: a command of the present form, or of the old one, or `null`. */
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

Deno.test("a failed run is told as errors, then doubts as warnings, then the verdict", () => {
  const report = sampleReport("failed");
  const all = findings(report);
  const expected = (level: string) => all.filter((finding) => finding.level === level).length;
  const commands = commandsOf(report);
  assertEquals(commands.map((command) => command?.name), [
    ...Array(expected("failure")).fill("error"),
    ...Array(expected("warning")).fill("warning"),
    "notice",
  ]);
  assert(expected("failure") > 0 && expected("warning") > 0);
  assertEquals(commands[0]!.properties, { title: "exai-ws-bench: Message Throughput" });
  assertEquals(commands[0]!.text, all[0]!.text);
  assertEquals(commands.at(-1)!.text, "FAILED: 5 of 6 scenarios passed, 1 failed in 41.2 s");
});

Deno.test("a run without fault is one notice", () => {
  assertEquals(
    renderAnnotations(sampleReport("passed")),
    "::notice title=exai-ws-bench::COMPLETE: 6 of 6 scenarios passed in 41.2 s\n",
  );
});

Deno.test("of a level there are at most ten, and the last says how many more", () => {
  const report = sampleReport("failed");
  report.rateLimit = null;
  report.verdict.reasons = Array.from({ length: 25 }, (_, index) => ({
    code: 1,
    scenario: null,
    message: `reason ${index}`,
  }));
  const errors = commandsOf(report).filter((command) => command?.name === "error");
  assertEquals(errors.length, 10);
  const all = findings(report).filter(({ level }) => level === "failure");
  assertEquals(errors.at(-1)!.text, `and ${all.length - 9} more: see the reports`);
});

Deno.test("no text of a server's becomes a command or ends one", () => {
  for (const text of [HOSTILE_TEXT, ...INJECTIONS, "50%0A::error::x", "a,title=b:c"]) {
    const report = hostileReport(text);
    const commands = commandsOf(report);
    for (const command of commands) {
      assert(command !== null && ["error", "warning", "notice"].includes(command.name));
      assertEquals(Object.keys(command.properties), ["title"]);
    }
    assertEquals(
      commands.length,
      findings(report).filter(({ level }) => level !== "note").length + 1,
    );
  }
});

Deno.test("what is escaped for a command reads back as it was, on one line", () => {
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

Deno.test("defused output has no command in it, and keeps its lines", () => {
  for (const text of INJECTIONS) {
    assert(text.split(/\r\n|[\r\n\u2028]/).some((part) => readCommand(part) !== null), text);
    const defused = defuseCommands(`first ${text}\n${text}`);
    for (const part of defused.split(/\r\n|[\r\n\u2028]/)) assertEquals(readCommand(part), null);
  }
  const parts = fc.constantFrom(
    "::",
    ":",
    "##[",
    "#",
    "[",
    "]",
    "error",
    " ",
    "\n",
    "\t",
    "\u0085",
  );
  fc.assert(fc.property(fc.array(parts, { maxLength: 12 }), (given) => {
    const defused = defuseCommands(given.join(""));
    assert(!/^\s*::/m.test(defused) && !defused.includes("##["), JSON.stringify(defused));
    assertEquals(defused.split("\n").length, given.join("").split("\n").length);
  }));
  for (const plain of ["ws://[::1]:8079", "a::b", "# [x]", "report: x"]) {
    assertEquals(defuseCommands(plain), plain);
  }
});

Deno.test("a summary for the terminal is defused whole", () => {
  for (const text of INJECTIONS) {
    for (const width of [40, 60, 100]) {
      const summary = renderTerminalSummary(hostileReport(`word ${text} ${text}`), {
        color: false,
        width,
      });
      for (const line of defuseCommands(summary).split("\n")) assertEquals(readCommand(line), null);
    }
  }
});

Deno.test("the step's summary tells verdict, numbers, scenarios and what is wrong", () => {
  const page = renderStepSummary(sampleReport("failed"));
  assert(page.startsWith("## ❌ exai-ws-bench: FAILED\n"), page);
  assertStringIncludes(page, "| ❌ | message-throughput | 2/100 |");
  assertStringIncludes(page, "Throughput (Single Client)");
  assertStringIncludes(page, "**What is wrong:**");
  const compared = renderStepSummary(sampleReport("compared"));
  assertStringIncludes(compared, "### Thresholds");
  assertStringIncludes(compared, "### Comparison with the baseline");
});

Deno.test("the step's summary is short, whatever the report holds", () => {
  for (const kind of SAMPLE_KINDS) {
    assert(renderStepSummary(sampleReport(kind)).length < 64 * 1024, kind);
  }
  const report = hostileReport(HOSTILE_TEXT.repeat(20));
  const [row] = report.comparison!.rows;
  report.comparison!.rows = Array(2000).fill(row);
  report.comparison!.differences = Array(2000).fill(HOSTILE_TEXT.repeat(20));
  report.scenarios.push(
    ...Array.from({ length: 2000 }, () => sampleScenario(HOSTILE_TEXT.repeat(20))),
  );
  const page = renderStepSummary(report);
  assert(new TextEncoder().encode(page).length <= 512 * 1024);
  assert(page.endsWith("\n"));
  report.verdict.reasons = Array.from({ length: 3000 }, (_, index) => ({
    code: 1,
    scenario: null,
    message: `${index} ${"€".repeat(1000)}`,
  }));
  assert(new TextEncoder().encode(renderStepSummary(report)).length <= 512 * 1024);
});
