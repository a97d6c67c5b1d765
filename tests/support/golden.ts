/**
 * Expected outputs as files, compared byte by byte: one whole page of each format, other reports as
 * markdown or only the sections that differ, so that a person can review them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { renderHtml } from "../../lib/report/render/html.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import { type SampleKind, sampleReport } from "./sample_report.ts";

export const GOLDEN_FOLDER = new URL("../golden/", import.meta.url);

/**
 * Asserts that a text equals the golden file `name`. If it does not, the text is written next to it
 * as `name.got`, or without write permission the error shows the difference.
 *
 * @throws {Error} if they differ
 */
export function assertGolden(
  name: string,
  actual: string,
  { expected }: { expected: string },
): void {
  if (actual === expected) return;
  const folder = GOLDEN_FOLDER;
  if (Deno.permissions.querySync({ name: "write", path: folder }).state !== "granted") {
    assertEquals(actual, expected, `tests/golden/${name} differs`);
  }
  Deno.writeTextFileSync(new URL(`${name}.got`, folder), actual);
  throw new Error(
    `tests/golden/${name} differs from what was rendered: compare it with ${name}.got; ` +
      "if the new text is right, run `deno task golden`",
  );
}

function documentOf(kind: SampleKind) {
  return buildDocument(sampleReport(kind), { charts: new Map(), audience: "page" });
}

/** A page of markdown, or only the sections with these ids. */
function markdown(kind: SampleKind, ids?: readonly string[]): string {
  const document = documentOf(kind);
  const sections = document.sections.filter(({ id }) => ids?.includes(id) ?? true);
  return renderMarkdown({ ...document, sections }, { chartPath: (id) => `charts/${id}.svg` });
}

/** The page without its style and script, which have their own tests, and without their hashes. */
function html(kind: SampleKind): string {
  return renderHtml(documentOf(kind))
    .replace(/<style>[\s\S]*?<\/style>/, "<style></style>")
    .replace(/<script type="module">[\s\S]*?<\/script>/, "<script></script>")
    .replace(/ '?sha256-[^']*'/g, " 'sha256'");
}

function terminal(kind: SampleKind, width: number): string {
  return renderTerminalSummary(sampleReport(kind), { color: false, width });
}

/** The golden files of the reports. */
export function reportGoldens(): { name: string; text: string }[] {
  return [
    { name: "report_passed.md", text: markdown("passed") },
    { name: "report_passed.html", text: html("passed") },
    { name: "report_passed.txt", text: terminal("passed", 100) },
    { name: "report_failed.md", text: markdown("failed") },
    { name: "report_failed.txt", text: terminal("failed", 80) },
    { name: "report_ab.md", text: markdown("ab") },
    { name: "report_ab.txt", text: terminal("ab", 100) },
    { name: "report_phase2.md", text: markdown("phase2") },
    { name: "report_phase3.md", text: markdown("phase3") },
    { name: "report_preflight_failure.md", text: markdown("preflight_failure") },
    { name: "report_compared.txt", text: terminal("compared", 60) },
    { name: "sections_compared.md", text: markdown("compared", ["summary", "comparison"]) },
    { name: "sections_merged.md", text: markdown("merged", ["summary", "parts"]) },
    { name: "sections_interrupted.md", text: markdown("interrupted", ["summary", "checklist"]) },
    { name: "sections_skipped.md", text: markdown("skipped", ["summary", "next-steps"]) },
    { name: "sections_hostile.md", text: markdown("hostile", ["comparison", "wire"]) },
    {
      name: "sections_sweeps.md",
      text: markdown("sweeps", documentOf("sweeps").sections.map(({ id }) => id).slice(0, 5)),
    },
  ];
}
