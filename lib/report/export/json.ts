/**
 * Writes and reads report.json, checking every field that is read.
 *
 * @module
 */

import * as v from "valibot";
import { type Report, ReportSchema } from "../../schema.ts";
import { escapeTerminal } from "../escape.ts";

const SCHEMA_VERSION = 2;
const SHOWN_CHARACTERS = 60;

/** A text is not a report of this version; the message names the source and the field. */
export class ReportParseError extends Error {
  override readonly name = "ReportParseError";
}

/**
 * The text of report.json, with its fields in the order of the schema, so a report that was read is
 * written unchanged.
 *
 * @throws {RangeError} if a number is not finite
 */
export function renderJson(report: Report): string {
  const result = v.safeParse(ReportSchema, report);
  // A report that does not match the schema is written anyway rather than lost.
  const text = JSON.stringify(result.success ? result.output : report, (key, value) => {
    // JSON.stringify would write null.
    if (typeof value !== "number" || Number.isFinite(value)) return value;
    throw new RangeError(
      `Cannot write report.json: every number must be finite: ${key} is ${value}`,
    );
  }, 2);
  return `${text}\n`;
}

/**
 * Reads the text of a report.json, without unknown fields. `source` is its name in error messages.
 *
 * @throws {ReportParseError} if it is not JSON, has another schemaVersion, or a field is wrong
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
    throw refusal(source, `a report is a JSON object, not ${show(json)}`);
  }
  const version: unknown = "schemaVersion" in json ? json.schemaVersion : undefined;
  if (version === SCHEMA_VERSION) return;
  const hint = typeof version !== "number"
    ? ""
    : version > SCHEMA_VERSION
    ? ". A newer version of the suite wrote it: update this one"
    : ". An earlier version of the suite wrote it, and its numbers are not comparable: measure again";
  const known = `accepted is ${SCHEMA_VERSION}`;
  throw refusal(source, `its schemaVersion is ${show(version)}, ${known}${hint}`);
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = escapeTerminal(v.getDotPath(issue) ?? "the report");
  return issue.received === "undefined"
    ? `${path} is missing`
    : `${path} must be ${issue.expected ?? "as the schema says"}: it is ${show(issue.input)}`;
}

function show(value: unknown): string {
  const text = escapeTerminal(JSON.stringify(value) ?? "missing");
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function refusal(source: string, why: string): ReportParseError {
  return new ReportParseError(`Cannot read ${source} as a report: ${why}`);
}
