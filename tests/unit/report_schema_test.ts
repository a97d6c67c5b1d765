import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "npm:ajv@8.17.1/dist/2020.js";
import { renderJson } from "../../lib/report/export/json.ts";
import { renderJsonSchema } from "../support/report_json_schema.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";
import published from "../../docs/report.schema.json" with { type: "text" };

Deno.test("docs/report.schema.json is the schema that reports are read by", () => {
  assertEquals(published, renderJsonSchema(), "run `deno task golden`");
});

Deno.test("every sample is valid by the published schema, as another validator reads it", () => {
  const validate = new Ajv2020({ strict: true, strictTuples: false }).compile(
    JSON.parse(published),
  );
  for (const kind of SAMPLE_KINDS) {
    const report: Record<string, unknown> = JSON.parse(renderJson(sampleReport(kind)));
    assert(validate(report), `${kind}: ${JSON.stringify(validate.errors)}`);
    assert(!validate({ ...report, scenarios: [{ name: "only a name" }] }));
  }
});

Deno.test("the published schema says what it is of", () => {
  const schema = JSON.parse(published);
  assertEquals(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assertEquals(schema.title, "Benchmark report");
  assert(schema.$defs.Ledger.properties.ok.description.length > 0);
});
