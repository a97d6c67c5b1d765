import { assertEquals, assertStringIncludes } from "@std/assert";
import { argumentsFor, draftWorkload } from "../../lib/cli/workload_draft.ts";

const schema = (property: unknown, more: Record<string, unknown> = {}) => ({
  type: "object",
  properties: { a: property },
  required: ["a"],
  ...more,
});

Deno.test("workload draft: each required argument fits its schema, preferably a value the schema names", () => {
  const cases: [property: unknown, value: unknown][] = [
    [{ type: "string" }, "text"],
    [{ type: "string", minLength: 6 }, "text.."],
    [{ type: "string", maxLength: 2 }, "te"],
    [{ type: "string", format: "date" }, "2026-01-01"],
    [{ type: "string", default: "d", examples: ["e"], enum: ["f"] }, "d"],
    [{ type: "string", examples: ["e"], enum: ["f"] }, "e"],
    [{ type: "string", enum: ["f", "g"] }, "f"],
    [{ const: 7 }, 7],
    [{ type: "number" }, 1],
    [{ type: "integer", minimum: 10, maximum: 20 }, 10],
    [{ type: "number", exclusiveMinimum: 0 }, 1],
    [{ type: "integer", minimum: 7, multipleOf: 5 }, 10],
    [{ type: "number", maximum: 0.5 }, 0.5],
    [{ type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 }, 0.5],
    [{ type: "number", exclusiveMinimum: 0, maximum: 0.2 }, 0.2],
    [{ type: "number", minimum: 0, exclusiveMaximum: 1 }, 0],
    [{ type: "integer", exclusiveMaximum: 0 }, -1],
    [{ type: "integer", minimum: 0.5, maximum: 9 }, 1],
    [{ type: "integer", maximum: -8, multipleOf: 5 }, -10],
    [{ type: "boolean" }, false],
    [{ type: "null" }, null],
    [{ type: ["integer", "null"], minimum: 3 }, 3],
    [{ type: "array", items: { type: "number" } }, []],
    [{ type: "array", items: { type: "number" }, minItems: 2 }, [1, 1]],
    [schema({ enum: ["deep"] }), { a: "deep" }],
    [{ anyOf: [{ type: "integer" }, { type: "string" }] }, 1],
    [{ $ref: "#/$defs/color" }, "red"],
    [{ $ref: "#/nowhere" }, "text"],
    ["no schema", "text"],
  ];
  for (const [property, value] of cases) {
    const whole = schema(property, { $defs: { color: { enum: ["red"] } } });
    assertEquals(argumentsFor(whole), { a: value }, JSON.stringify(property));
  }
});

Deno.test("workload draft: optional arguments are left out, and a recursive schema terminates", () => {
  assertEquals(argumentsFor({ type: "object", properties: { a: { type: "string" } } }), {});
  assertEquals(argumentsFor({}), {});
  const endless = schema({ $ref: "#" });
  assertStringIncludes(JSON.stringify(argumentsFor(endless)), '{"a":{"a":');
});

Deno.test("workload draft: the draft has a pattern for each tool, and points to the documentation", () => {
  const text = draftWorkload([
    { name: "echo", inputSchema: schema({ type: "string" }) },
    { name: "now: yes", inputSchema: {} },
  ]);
  assertStringIncludes(text, "docs/workloads.md");
  assertStringIncludes(
    text,
    [
      "patterns:",
      "  - name: echo",
      "    weight: 1",
      "    steps:",
      "      - tool: echo",
      "        arguments:",
      "          a: text",
      "  - name: 'now: yes'",
    ].join("\n"),
  );
});
