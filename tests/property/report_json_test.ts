import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type Report, ReportSchema } from "../../lib/schema.ts";
import { figurePlans } from "../../lib/report/charts/mod.ts";
import { renderBenchmarkJson } from "../../lib/report/export/benchmark.ts";
import { renderAnnotations, renderStepSummary } from "../../lib/report/export/github.ts";
import { parseReport, renderJson } from "../../lib/report/export/json.ts";
import { renderJunit } from "../../lib/report/export/junit.ts";
import { repeats } from "../support/repeats.ts";

/** The parts of a valibot schema that determine its values. */
interface Node {
  type: string;
  pipe?: readonly { type: string; requirement?: number }[];
  entries?: Record<string, Node>;
  rest?: Node;
  item?: Node;
  items?: readonly Node[];
  key?: Node;
  value?: Node;
  wrapped?: Node;
  options?: readonly (Node | string)[];
  literal?: unknown;
}

/** Without -0, which JSON does not have, and small enough that means and squares are finite. */
const NUMBER = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e150, max: 1e150 })
  .map((value) => value + 0);

/** valibot drops these keys from records. */
const KEY = fc.string().filter((key) => !["__proto__", "prototype", "constructor"].includes(key));

/** Arbitrary values of a schema, so that the test covers every future field. */
function arbitraryOf(schema: Node): fc.Arbitrary<unknown> {
  const makers: Record<string, () => fc.Arbitrary<unknown>> = {
    string: () => fc.string({ unit: "binary" }),
    boolean: () => fc.boolean(),
    number: () => arbitraryNumber(schema),
    null: () => fc.constant(null),
    literal: () => fc.constant(schema.literal),
    picklist: () => fc.constantFrom(...schema.options ?? []),
    nullable: () => fc.option(arbitraryOf(schema.wrapped!), { nil: null }),
    array: () => fc.array(arbitraryOf(schema.item!), { maxLength: 3 }),
    record: () => arbitraryRecord(schema.value!),
    strict_tuple: () => fc.tuple(...schema.items!.map(arbitraryOf)),
    object: () => arbitraryObject(schema.entries!),
    object_with_rest: () =>
      fc.tuple(arbitraryObject(schema.entries!), arbitraryRecord(schema.rest!))
        .map(([own, rest]) => ({ ...rest, ...own as object })),
    union: () => fc.oneof(...schema.options!.map((option) => arbitraryOf(option as Node))),
    variant: () => fc.oneof(...schema.options!.map((option) => arbitraryOf(option as Node))),
  };
  if (!(schema.type in makers)) throw new Error(`Cannot make values of a schema "${schema.type}"`);
  return makers[schema.type]();
}

function arbitraryNumber(schema: Node): fc.Arbitrary<number> {
  const steps = flatten(schema);
  if (!steps.some(({ type }) => type === "safe_integer")) return NUMBER;
  const minimums = steps.flatMap(({ type, requirement }) =>
    type === "min_value" ? [requirement!] : []
  );
  return fc.maxSafeInteger().map(Math.abs).map((value) => Math.max(value, ...minimums));
}

function arbitraryRecord(value: Node): fc.Arbitrary<Record<string, unknown>> {
  return fc.dictionary(KEY, arbitraryOf(value), { maxKeys: 3, noNullPrototype: true });
}

/** The steps of a pipe; its first step can be another schema with a pipe. */
function flatten(schema: Node): { type: string; requirement?: number }[] {
  return (schema.pipe ?? []).flatMap((step, index) =>
    index === 0 && step !== schema as unknown && "pipe" in step ? flatten(step as Node) : [step]
  );
}

function arbitraryObject(entries: Record<string, Node>): fc.Arbitrary<unknown> {
  const names = Object.keys(entries);
  return fc.record(
    Object.fromEntries(names.map((name) => [
      name,
      arbitraryOf(entries[name].type === "optional" ? entries[name].wrapped! : entries[name]),
    ])),
    {
      requiredKeys: names.filter((name) => entries[name].type !== "optional"),
      noNullPrototype: true,
    },
  );
}

const REPORTS = arbitraryOf(ReportSchema as unknown as Node) as fc.Arbitrary<Report>;

Deno.test("every valid report survives writing and reading as JSON", () => {
  fc.assert(
    fc.property(REPORTS, (report) => {
      assertEquals(parseReport(renderJson(report), "report.json"), report);
    }),
    { numRuns: repeats(30, 100) },
  );
});

Deno.test("every valid report can be exported in every format, with figures", () => {
  fc.assert(
    fc.property(REPORTS, (report) => {
      for (const render of [renderStepSummary, renderAnnotations, renderJunit]) {
        const shown = render(report);
        assert(!/undefined|NaN|\[object/.test(shown.replaceAll(/`[^`]*`/g, "")), shown);
      }
      for (const better of ["higher", "lower"] as const) {
        JSON.parse(renderBenchmarkJson(report, better));
      }
      figurePlans(report);
    }),
    { numRuns: repeats(15, 50) },
  );
});
