/**
 * The published JSON Schema of report.json, generated from the schema that the suite reads it with.
 *
 * @module
 */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import {
  DistributionSchema,
  IntervalSchema,
  LedgerSchema,
  ReportSchema,
  ScalarSchema,
  ScenarioReportSchema,
} from "../../lib/schema.ts";

/** The JSON Schema (draft 2020-12) of report.json, schemaVersion 2. */
export function reportJsonSchema(): JsonSchema {
  const { $schema, ...schema } = toJsonSchema(ReportSchema, {
    target: "draft-2020-12",
    definitions: {
      Ledger: LedgerSchema,
      Interval: IntervalSchema,
      Distribution: DistributionSchema,
      Scalar: ScalarSchema,
      Scenario: ScenarioReportSchema,
    },
  });
  return {
    $schema,
    title: "Benchmark report",
    description: "What one run measured: its checks, its ledgers and its numbers. Times are " +
      "nanoseconds unless a name says otherwise; null means not measured.",
    ...schema,
  };
}

/** The text of docs/report.schema.json. */
export function renderJsonSchema(): string {
  return JSON.stringify(reportJsonSchema(), null, 2) + "\n";
}
