import { assert, assertEquals } from "@std/assert";
import { XMLParser, XMLValidator } from "npm:fast-xml-parser@5.2.5";
import type { Report } from "../../lib/contract.ts";
import { renderJunit } from "../../lib/report/junit.ts";
import { HOSTILE_TEXT, SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

interface Case {
  name: string;
  failure?: { message: string };
  skipped?: { message: string };
}

interface Suite {
  name: string;
  tests: string;
  failures: string;
  skipped: string;
  testcase: Case[];
}

/** The XML of a report as an independent parser reads it. */
function parse(report: Report): { suites: Suite[]; root: Record<string, string> } {
  const text = renderJunit(report);
  assertEquals(XMLValidator.validate(text), true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    isArray: (name: string) => name === "testsuite" || name === "testcase",
  });
  const { testsuites } = parser.parse(text);
  return { suites: testsuites.testsuite, root: testsuites };
}

for (const kind of SAMPLE_KINDS) {
  Deno.test(`the XML of the ${kind} report is well-formed and its totals are right`, () => {
    const { suites, root } = parse(sampleReport(kind));
    const cases = suites.flatMap(({ testcase }) => testcase);
    assertEquals(Number(root.tests), cases.length);
    assertEquals(Number(root.failures), cases.filter(({ failure }) => failure).length);
    assertEquals(Number(root.skipped), cases.filter(({ skipped }) => skipped).length);
    for (const suite of suites) assertEquals(Number(suite.tests), suite.testcase.length);
  });
}

Deno.test("every scenario is a suite and every check a case", () => {
  const report = sampleReport("failed");
  const { suites } = parse(report);
  assertEquals(suites.map(({ name }) => name), [
    "preflight",
    ...report.scenarios.map(({ name }) => name),
    "run",
  ]);
  const throughput = suites.find(({ name }) => name === "message-throughput");
  assertEquals(throughput?.testcase.map(({ name, failure }) => [name, failure?.message]), [
    ["every message was served", "observed: 2 of 100"],
  ]);
});

Deno.test("what was skipped or not measured is a skipped case", () => {
  const { suites } = parse(sampleReport("skipped"));
  const authentication = suites.find(({ name }) => name === "authentication");
  assertEquals(
    authentication?.testcase[0].skipped?.message,
    "the server accepts any token: its authentication is off",
  );
  const [noHello] = parse(sampleReport("passed")).suites.flatMap(({ testcase }) => testcase)
    .filter(({ skipped }) => skipped);
  assertEquals(noHello.name, "no hello");
});

Deno.test("a run that did not pass has a failure, whatever made it fail", () => {
  const report = sampleReport("passed");
  assertEquals(parse(report).root.failures, "0");
  report.verdict = {
    status: "failed",
    exitCode: 4,
    reasons: [{ code: 4, scenario: null, message: "p95 is 1.31 ms, not < 1 ms" }],
  };
  assertEquals(parse(report).root.failures, "1");
  for (const kind of ["interrupted", "preflight_failure"] as const) {
    assert(Number(parse(sampleReport(kind)).root.failures) > 0);
  }
});

Deno.test("no character that XML forbids is written", () => {
  const text = renderJunit(sampleReport("hostile"));
  // deno-lint-ignore no-control-regex
  assert(/[\x00\x07\x1b]/.test(HOSTILE_TEXT));
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text));
});
