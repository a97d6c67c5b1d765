import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MOST_KEPT, reportFolder, writtenText } from "../../lib/cli/report_folder.ts";
import { type ReportFormat, ReportWriteError } from "../../lib/cli/write_reports.ts";
import { renderJunit } from "../../lib/report/export/junit.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { renderTerminal } from "../../lib/report/render/terminal.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import type { Report } from "../../lib/schema.ts";
import { compareWithEarlier } from "../../lib/stats/compare.ts";
import { sampleReport } from "../support/sample_report.ts";
import { makeTempFolder, namesIn, NO_FILES as ignore } from "../support/files.ts";

const NO_STATEMENT = { noisePercent: null, bandPercent: 3 };

/** A run that started at 03:`minute`, its percentiles multiplied by `factor`. */
function runAt(minute: number, factor = 1, report = sampleReport("passed")): Report {
  for (const { metrics } of report.scenarios) {
    for (const metric of metrics) if (metric.kind === "distribution") metric.p50 *= factor;
  }
  return { ...report, startedAt: new Date(Date.UTC(2026, 0, 2, 3, minute)).toISOString() };
}

function nothingAt(minute: number): Report {
  return runAt(minute, 1, sampleReport("preflight_failure"));
}

async function makeReportFolder(formats: readonly ReportFormat[]) {
  const temporary = await makeTempFolder();
  const directory = temporary.path;
  const folder = reportFolder(directory, formats);
  const write = (report: Report) => folder.write(report, { draws: false });
  return { ...temporary, directory, folder, write };
}

async function startOf(path: string): Promise<string> {
  return JSON.parse(await Deno.readTextFile(path)).startedAt;
}

Deno.test("the folder has the latest report, its history earlier ones", { ignore }, async () => {
  await using reports = await makeReportFolder(["json"]);
  const { directory, folder, write } = reports;
  for (const minute of [0, 1, 2]) {
    // An intermediate report of the same run.
    await write({ ...runAt(minute), epochs: 1 });
    await write(runAt(minute));
  }
  assertEquals(await startOf(`${directory}/report.json`), runAt(2).startedAt);
  assertEquals(await namesIn(`${directory}/history`), [
    "2026-01-02T03-00-00.000Z.json",
    "2026-01-02T03-01-00.000Z.json",
  ]);
  await Deno.writeTextFile(`${directory}/history/2026-01-02T03-00-30.000Z.json`, "{");
  const earlier = await folder.earlier(runAt(2));
  assertEquals(earlier.map(({ startedAt }) => startedAt), [0, 1].map((at) => runAt(at).startedAt));
});

Deno.test("the history keeps the latest reports, and foreign files", { ignore }, async () => {
  await using reports = await makeReportFolder(["json"]);
  const { directory, write } = reports;
  await Deno.mkdir(`${directory}/history`);
  await Deno.writeTextFile(`${directory}/history/mine.json`, "{}");
  for (let minute = 0; minute < MOST_KEPT + 3; minute++) await write(runAt(minute));
  const kept = await namesIn(`${directory}/history`);
  assertEquals(kept.length, MOST_KEPT + 1);
  assertEquals([kept[0], kept.at(-1)], ["2026-01-02T03-02-00.000Z.json", "mine.json"]);
});

Deno.test("a report is replaced even if the history cannot keep it", { ignore }, async () => {
  await using reports = await makeReportFolder(["json"]);
  const { directory, folder, write } = reports;
  await write(runAt(0));
  await Deno.writeTextFile(`${directory}/history`, "no folder");
  for (const epochs of [1, 2]) {
    await assertRejects(
      () => folder.write({ ...runAt(1), epochs }),
      ReportWriteError,
      "Cannot keep the earlier report in ",
    );
  }
  assertEquals(await startOf(`${directory}/report.json`), runAt(1).startedAt);
});

Deno.test("a run that measured nothing never replaces one that did", { ignore }, async () => {
  await using reports = await makeReportFolder(["json", "md", "junit"]);
  const { directory, write } = reports;
  await write(runAt(0));
  for (const minute of [1, 2]) {
    const { paths, kept } = await write(nothingAt(minute));
    assertEquals(kept, runAt(0).startedAt);
    // junit.xml is always replaced: a CI job must not see the outcome of another run.
    assertEquals(paths, [
      `${directory}/failed/report.json`,
      `${directory}/failed/report.md`,
      `${directory}/junit.xml`,
    ]);
  }
  assertEquals(await startOf(`${directory}/report.json`), runAt(0).startedAt);
  assert(!(await Deno.readTextFile(`${directory}/report.md`)).includes("Nothing was measured"));
  assertEquals(await startOf(`${directory}/failed/report.json`), runAt(2).startedAt);
  assertStringIncludes(await Deno.readTextFile(`${directory}/junit.xml`), "<failure");
  // It does not go into the history either.
  await write(runAt(3));
  assertEquals(await namesIn(`${directory}/history`), ["2026-01-02T03-00-00.000Z.json"]);
});

Deno.test("a run that measured nothing can replace another such run", { ignore }, async () => {
  await using reports = await makeReportFolder(["json", "md"]);
  const { directory, write } = reports;
  for (const minute of [0, 1]) {
    const { paths, kept } = await write(nothingAt(minute));
    assertEquals([kept, paths[0]], [null, `${directory}/report.json`]);
  }
  await write(runAt(2));
  assertEquals(await namesIn(directory), ["report.json", "report.md"]);
});

Deno.test("a page without a report.json is not replaced either", { ignore }, async () => {
  await using reports = await makeReportFolder(["md"]);
  const { directory, write } = reports;
  await write(runAt(0));
  const { kept } = await write(nothingAt(1));
  assert(kept !== null);
  assert(!(await Deno.readTextFile(`${directory}/report.md`)).includes("Nothing was measured"));
});

Deno.test("the written files are listed one per line, with a link to the page", () => {
  const paths = ["/a b/report.json", "/a b/report.html"];
  const listed = "  /a b/report.json\n  /a b/report.html\n\nfile:///a%20b/report.html\n";
  assertEquals(writtenText({ paths, kept: null }), `\nReports:\n${listed}`);
  assertEquals(
    writtenText({ paths, kept: "2026-01-02T03:04:05.000Z" }),
    "\nKept the earlier report of 2026-01-02 03:04 UTC, as this run measured nothing. Reports of this run:\n" +
      listed,
  );
  assertEquals(writtenText({ paths: [paths[0]!], kept: null }), "\nReports:\n  /a b/report.json\n");
});

Deno.test("a run is compared with the last one automatically, which never fails it", () => {
  const report = compareWithEarlier(runAt(1, 1.3), [runAt(0)], NO_STATEMENT);
  const { comparison } = report;
  assertEquals([comparison?.automatic, comparison?.noise], [true, "unknown"]);
  assertEquals(report.verdict, runAt(1).verdict);
  const document = buildDocument(report, { charts: new Map(), audience: "page" });
  const page = renderMarkdown(document, { chartPath: () => null });
  const latency = page.split("\n").find((line) => line.startsWith("| **Latency**"));
  assertStringIncludes(latency!, "+30.0 % since the last run");
  assertStringIncludes(page, "This comparison never fails a run");
});

Deno.test("with four earlier runs their noise judges the change, which still never fails the run", () => {
  const earlier = [1, 1.01, 0.99, 1.005].map((factor, minute) => runAt(minute, factor));
  const slow = { ...runAt(9, 2) };
  const report = compareWithEarlier(slow, earlier, NO_STATEMENT);
  const { rows, noise, regressions } = report.comparison!;
  const slower = rows.filter(({ verdict }) => verdict === "slower");
  assert(slower.length > 0);
  assertEquals([noise, regressions, rows.some(({ gating }) => gating)], ["learned", [], false]);
  assertEquals(report.verdict.exitCode, 0);
  assert(!renderJunit(report).includes("<failure"));
  const document = buildDocument(report, { charts: new Map(), audience: "terminal" });
  const text = renderTerminal(document, { color: false, width: 100 });
  assert(text.includes(`${slower.length} slower`), text);
  assertStringIncludes(text, "+99.8 % against 4 runs (slower)");
});

Deno.test("a run is compared only with passed runs of the same workload", () => {
  const [now, old] = [runAt(1), runAt(0)];
  const failed = { ...old, verdict: { ...old.verdict, status: "failed" as const, exitCode: 1 } };
  const cut = { ...old, verdict: { ...old.verdict, status: "interrupted" as const } };
  const other = { ...old, target: { ...old.target, tool: "version" } };
  const split = { ...old, merged: sampleReport("merged").merged! };
  for (const unfit of [failed, cut, other, split, { ...old, ab: sampleReport("ab").ab! }]) {
    assertEquals(compareWithEarlier(now, [unfit], NO_STATEMENT), now);
  }
  const interrupted = { ...now, verdict: cut.verdict };
  assertEquals(compareWithEarlier(interrupted, [old], NO_STATEMENT), interrupted);
  const asked = sampleReport("compared");
  assertEquals(compareWithEarlier(asked, [old], NO_STATEMENT), asked);
});
