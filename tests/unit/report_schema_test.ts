import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "npm:ajv@8.17.1/dist/2020.js";
import { renderJson } from "../../lib/report/export/json.ts";
import { renderJsonSchema } from "../support/report_json_schema.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";
import published from "../../docs/report.schema.json" with { type: "text" };

Deno.test("docs/report.schema.json is the schema used to read reports", () => {
  assertEquals(published, renderJsonSchema(), "run `deno task golden`");
});

Deno.test("another validator finds every sample valid by the published schema", () => {
  const ajv = new Ajv2020({ strict: true, strictTuples: false });
  const validate = ajv.compile(JSON.parse(published));
  for (const kind of SAMPLE_KINDS) {
    const report: Record<string, unknown> = JSON.parse(renderJson(sampleReport(kind)));
    assert(validate(report), `${kind}: ${JSON.stringify(validate.errors)}`);
    assert(!validate({ ...report, scenarios: [{ name: "only a name" }] }));
  }
});

Deno.test("the published schema has a title and descriptions", () => {
  const schema = JSON.parse(published);
  assertEquals(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assertEquals(schema.title, "Benchmark report");
  assert(schema.$defs.Ledger.properties.ok.description.length > 0);
});
