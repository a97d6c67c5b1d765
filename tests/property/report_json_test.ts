import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type Report, ReportSchema } from "../../lib/schema.ts";
import { figurePlans } from "../../lib/report/charts/mod.ts";
import { renderBenchmarkJson } from "../../lib/report/export/benchmark.ts";
import { renderAnnotations, renderStepSummary } from "../../lib/report/export/github.ts";
import { parseReport, renderJson } from "../../lib/report/export/json.ts";
import { renderJunit } from "../../lib/report/export/junit.ts";
import { repeats } from "../support/repeats.ts";

/** The parts of a valibot schema that a value can be made from. */
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

/** JSON knows neither -0 nor numbers that are not finite; means and squares of these are finite, too. */
const NUMBER = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e150, max: 1e150 }).map((
  value,
) => value + 0);

/** valibot leaves these keys out of every record, and so does a report. */
const KEY = fc.string().filter((key) => !["__proto__", "prototype", "constructor"].includes(key));

const REST = { maxKeys: 2, noNullPrototype: true } as const;

/** Arbitrary values of a schema, so that the test follows every addition to the contract. */
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
    record: () =>
      fc.dictionary(KEY, arbitraryOf(schema.value!), { maxKeys: 3, noNullPrototype: true }),
    strict_tuple: () => fc.tuple(...schema.items!.map(arbitraryOf)),
    object: () => arbitraryObject(schema.entries!),
    object_with_rest: () =>
      fc.tuple(
        arbitraryObject(schema.entries!),
        fc.dictionary(KEY, arbitraryOf(schema.rest!), REST),
      )
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
  const minimums = steps.filter(({ type }) => type === "min_value").map((step) =>
    step.requirement!
  );
  return fc.maxSafeInteger().map(Math.abs).map((value) => Math.max(value, ...minimums));
}

/** The steps of a pipe; a schema with a pipe may be the first step of another one. */
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

Deno.test("parseReport(renderJson(report)) is the report", () => {
  fc.assert(
    fc.property(REPORTS, (report) => {
      assertEquals(parseReport(renderJson(report), "report.json"), report);
    }),
    { numRuns: repeats(30, 100) },
  );
});

Deno.test("every valid report can be exported in every format, and its figures planned", () => {
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
