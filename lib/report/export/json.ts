/**
 * report.json: written, and read back with every field checked.
 *
 * @module
 */

import * as v from "valibot";
import { type Report, ReportSchema } from "../../schema.ts";
import { escapeTerminal } from "../escape.ts";

const SCHEMA_VERSION = 2;
const SHOWN_CHARACTERS = 60;

/** A text that is not a report of a version known here; the message names the source and the field. */
export class ReportParseError extends Error {
  override readonly name = "ReportParseError";
}

/**
 * The report as the text of report.json, its fields in the order of the schema, so that one which was
 * read back is written as it was.
 *
 * @throws {RangeError} if a number in it is not finite, as JSON has no such numbers
 */
export function renderJson(report: Report): string {
  const result = v.safeParse(ReportSchema, report);
  // One that does not fit the schema is better written as it is than lost.
  const text = JSON.stringify(result.success ? result.output : report, (key, value) => {
    // JSON would make null of such a number.
    if (typeof value !== "number" || Number.isFinite(value)) return value;
    throw new RangeError(
      `Cannot write report.json as every number must be finite: ${key} is ${value}`,
    );
  }, 2);
  return `${text}\n`;
}

/**
 * Reads the text of a report.json. `source` is what messages call it, such as the name of its file.
 * Fields that are not known are left out, and a byte order mark before the text is no part of it.
 *
 * @throws {ReportParseError} if it is no JSON, of another schemaVersion, or has a wrong field
 */
export function parseReport(text: string, source: string): Report {
  const json = parseJson(text, source);
  checkVersion(json, source);
  const result = v.safeParse(ReportSchema, json);
  if (result.success) return result.output;
  const [first, ...others] = result.issues;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  throw refusal(source, describeIssue(first) + more);
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw refusal(source, `it is not JSON: ${escapeTerminal((error as Error).message)}`);
  }
}

function checkVersion(json: unknown, source: string): void {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refusal(source, `a report is a JSON object: this is ${show(json)}`);
  }
  const version: unknown = "schemaVersion" in json ? json.schemaVersion : undefined;
  if (version === SCHEMA_VERSION) return;
  const known = `only version ${SCHEMA_VERSION} is read here`;
  if (typeof version !== "number") {
    throw refusal(source, `schemaVersion must be a number (${known}): it is ${show(version)}`);
  }
  const remedy = version > SCHEMA_VERSION
    ? "a newer suite wrote it: update this one"
    : "an earlier suite wrote it, whose numbers do not compare with these: measure again";
  throw refusal(source, `its schemaVersion is ${version} (${known}): ${remedy}`);
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = escapeTerminal(v.getDotPath(issue) ?? "the report");
  return issue.received === "undefined"
    ? `${path} is missing: ${issue.expected} is accepted`
    : `${path} must be ${issue.expected ?? "as its schema says"}: it is ${show(issue.input)}`;
}

function show(value: unknown): string {
  const text = escapeTerminal(JSON.stringify(value) ?? "missing");
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function refusal(source: string, why: string): ReportParseError {
  return new ReportParseError(`Cannot read ${source} as a report: ${why}`);
}
