import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseReport, renderJson, ReportParseError } from "../../lib/report/export/json.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

/** The error from reading a changed sample. */
function messageFor(change: (report: Record<string, unknown>) => void): string {
  const report = JSON.parse(renderJson(sampleReport("passed")));
  change(report);
  const read = () => parseReport(JSON.stringify(report), "old/report.json");
  return assertThrows(read, ReportParseError).message;
}

for (const kind of SAMPLE_KINDS) {
  Deno.test(`parseReport() reads the ${kind} report back`, () => {
    const report = sampleReport(kind);
    assertEquals(parseReport(renderJson(report), "report.json"), report);
  });
}

Deno.test("renderJson() refuses numbers that JSON cannot represent", () => {
  const report = sampleReport("passed");
  report.scenarios[0].durationMs = NaN;
  assertThrows(
    () => renderJson(report),
    RangeError,
    "every number must be finite: durationMs is NaN",
  );
});

Deno.test("parseReport() names a source that is not JSON", () => {
  const error = assertThrows(() => parseReport("{,", "a.json"), ReportParseError);
  assertStringIncludes(error.message, "Cannot read a.json as a report: it is not JSON");
});

Deno.test("parseReport() distinguishes older from newer versions", () => {
  assertStringIncludes(
    messageFor((report) => report.schemaVersion = 3),
    "its schemaVersion is 3, accepted is 2. A newer version of the suite wrote it: update this one",
  );
  assertStringIncludes(
    messageFor((report) => report.schemaVersion = 1),
    "its schemaVersion is 1, accepted is 2. An earlier version of the suite wrote it",
  );
  assertStringIncludes(
    messageFor((report) => delete report.schemaVersion),
    "its schemaVersion is missing, accepted is 2",
  );
  assertThrows(() => parseReport("[]", "a.json"), ReportParseError, "a report is a JSON object");
});

Deno.test("parseReport() names the field, the value and what is accepted", () => {
  assertEquals(
    // deno-lint-ignore no-explicit-any
    messageFor((report: any) => report.scenarios[1].ledger.sent = -1),
    "Cannot read old/report.json as a report: scenarios.1.ledger.sent must be >=0: it is -1",
  );
  assertEquals(
    messageFor((report) => delete report.seed),
    "Cannot read old/report.json as a report: seed is missing",
  );
});

Deno.test("parseReport() counts further wrong fields, and shows at most one line of a value", () => {
  const message = messageFor((report) => {
    report.seed = "x\n".repeat(500);
    report.profile = 3;
  });
  assertStringIncludes(message, "seed must be number: it is");
  assertStringIncludes(message, "(and 1 more)");
  assertEquals(message.includes("\n"), false);
  assertEquals(message.length < 200, true);
});

Deno.test("parseReport() ignores a byte order mark", () => {
  const report = sampleReport("passed");
  assertEquals(parseReport(`\uFEFF${renderJson(report)}`, "a.json"), report);
  assertThrows(() => parseReport(`\uFEFF\uFEFF${renderJson(report)}`, "a.json"), ReportParseError);
});
