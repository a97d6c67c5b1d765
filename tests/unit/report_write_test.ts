import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { drawFigures } from "../../lib/report/charts/mod.ts";
import { renderStepSummary } from "../../lib/report/export/github.ts";
import { parseReport } from "../../lib/report/export/json.ts";
import {
  appendStepSummary,
  REPORT_FORMATS,
  reportFileNames,
  ReportWriteError,
  writeReports,
} from "../../lib/cli/write_reports.ts";
import { END_MARK, START_MARK } from "../../lib/cli/injected_page.ts";
import { chartedReport } from "../support/sample_charts.ts";
import { makeTempFolder, namesIn, NO_FILES as ignore } from "../support/files.ts";
import { sampleReport } from "../support/sample_report.ts";

Deno.test("writeReports() makes the folder and returns the paths", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const folder = temporary.path;
  const report = sampleReport("passed");
  const directory = `${folder}/new/reports`;
  const paths = await writeReports(report, { directory, formats: REPORT_FORMATS });
  const files = [
    ...["report.json", "report.md", "report.html", "junit.xml", "github-summary.md"],
    ...["benchmark-bigger.json", "benchmark-smaller.json"],
  ];
  assertEquals(paths, files.map((name) => `${directory}/${name}`));
  assertEquals(REPORT_FORMATS.flatMap(reportFileNames), files);
  assertEquals(await namesIn(directory), [...files, "charts"].sort());
  assertEquals(parseReport(await Deno.readTextFile(paths[0]), paths[0]), report);
  const figures = [...(await drawFigures(report)).values()];
  assertEquals(await namesIn(`${directory}/charts`), figures.map(({ id }) => `${id}.svg`).sort());
  for (const { id, svg } of figures) {
    assertEquals(await Deno.readTextFile(`${directory}/charts/${id}.svg`), svg);
  }
});

Deno.test("writeReports() writes the given formats, replacing old files", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  await Deno.writeTextFile(`${directory}/report.md`, "old");
  const options = { directory, formats: ["md"] as const };
  assertEquals(await writeReports(sampleReport("passed"), options), [`${directory}/report.md`]);
  assertEquals(await namesIn(directory), ["charts", "report.md"]);
  assertStringIncludes(await Deno.readTextFile(`${directory}/report.md`), "undled server");
});

Deno.test("report.html embeds its charts, and needs no folder", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  const report = chartedReport();
  const [path] = await writeReports(report, { directory, formats: ["html"] });
  assertEquals(await namesIn(directory), ["report.html"]);
  assertStringIncludes(await Deno.readTextFile(path), 'id="chart-soak"');
  await writeReports(report, { directory, formats: ["html"], draws: false });
  assert(!(await Deno.readTextFile(path)).includes('id="chart-'));
});

Deno.test("a file where the folder should be is a clear error", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const folder = temporary.path;
  await Deno.writeTextFile(`${folder}/reports`, "a file");
  await assertRejects(
    () => writeReports(sampleReport("passed"), { directory: `${folder}/reports`, formats: ["md"] }),
    ReportWriteError,
    `Cannot create the folder ${folder}/reports: `,
  );
});

Deno.test("a failure leaves no temporary file, and old reports unchanged", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  // A folder with the name of the first file makes its renaming fail.
  await Deno.mkdir(`${directory}/report.json`);
  await Deno.writeTextFile(`${directory}/report.md`, "old");
  await assertRejects(
    () => writeReports(sampleReport("passed"), { directory, formats: ["json", "md"] }),
    ReportWriteError,
    `Cannot write ${directory}/report.json: `,
  );
  assertEquals(await namesIn(directory), ["report.json", "report.md"]);
  assertEquals(await Deno.readTextFile(`${directory}/report.md`), "old");
});

Deno.test("a report that cannot be rendered changes no file", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  const report = sampleReport("passed");
  report.seed = Infinity;
  await assertRejects(
    () => writeReports(report, { directory, formats: ["md", "json"] }),
    RangeError,
  );
  assertEquals(await namesIn(directory), []);
});

Deno.test("every chart that a page links to exists", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  await writeReports(chartedReport(), { directory, formats: ["md"] });
  const page = await Deno.readTextFile(`${directory}/report.md`);
  const paths = [...page.matchAll(/!\[[^\n]*\]\(([^)]*)\)/g)].map(([, path]) => path);
  const files = (await namesIn(`${directory}/charts`)).map((name) => `charts/${name}`);
  for (const path of paths) assert(files.includes(path!), path);
  assert(paths.length > 12);
});

Deno.test("only the format md writes or removes charts", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  await writeReports(sampleReport("passed"), { directory, formats: ["json", "html", "junit"] });
  assertEquals(await namesIn(directory), ["junit.xml", "report.html", "report.json"]);
  await writeReports(sampleReport("passed"), { directory, formats: ["md"] });
  const charts = await namesIn(`${directory}/charts`);
  await writeReports(sampleReport("interrupted"), { directory, formats: ["json"] });
  assertEquals(await namesIn(`${directory}/charts`), charts);
});

Deno.test("charts of an earlier run are removed, files of the user kept", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  await writeReports(sampleReport("passed"), { directory, formats: ["md"] });
  const charts = `${directory}/charts`;
  const svg = await Deno.readTextFile(`${charts}/message-throughput.svg`);
  const kept = {
    "my-own.svg": "<svg/>",
    // A generated chart that the user renamed.
    "kept-for-later.svg": svg,
    "empty.svg": "",
    "notes.txt": svg,
  };
  for (const [name, text] of Object.entries(kept)) {
    await Deno.writeTextFile(`${charts}/${name}`, text);
  }
  await Deno.mkdir(`${charts}/folder.svg`);
  await writeReports(sampleReport("interrupted"), { directory, formats: ["md"] });
  const figures = await drawFigures(sampleReport("interrupted"));
  const drawn = [...figures.values()].map(({ id }) => `${id}.svg`);
  assert(!drawn.includes("message-throughput.svg"));
  assertEquals(await namesIn(charts), [...drawn, ...Object.keys(kept), "folder.svg"].sort());
  for (const [name, text] of Object.entries(kept)) {
    assertEquals(await Deno.readTextFile(`${charts}/${name}`), text);
  }
});

Deno.test("during a run no chart is drawn, and none is linked", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  await writeReports(sampleReport("passed"), { directory, formats: ["md"] });
  await writeReports(sampleReport("passed"), { directory, formats: ["md"], draws: false });
  assertEquals(await namesIn(`${directory}/charts`), []);
  assert(!(await Deno.readTextFile(`${directory}/report.md`)).includes("!["));
});

Deno.test("a page of the user is filled, keeping its symbolic link and mode", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  await using temporary = await makeTempFolder();
  const folder = temporary.path;
  await Deno.mkdir(`${folder}/docs`);
  const page = `${folder}/docs/page.md`;
  await Deno.writeTextFile(page, `a\n${START_MARK}\n${END_MARK}\nb\n`);
  await Deno.chmod(page, 0o640);
  await Deno.symlink("docs/page.md", `${folder}/link.md`);
  const options = {
    directory: `${folder}/reports`,
    formats: ["json"],
    page: `${folder}/link.md`,
  } as const;
  const paths = await writeReports(sampleReport("passed"), options);
  assertEquals(paths.length, 2);
  assert((await Deno.lstat(`${folder}/link.md`)).isSymlink);
  assertEquals((await Deno.stat(page)).mode! & 0o777, 0o640);
  const text = await Deno.readTextFile(page);
  assert(text.startsWith(`a\n${START_MARK}\n`) && text.endsWith(`${END_MARK}\nb\n`));
  const [, path] = /\]\((\S*message-throughput\.svg)\)/.exec(text)!;
  assertEquals(path, "../reports/charts/message-throughput.svg");
  assert((await Deno.stat(`${folder}/docs/${path}`)).isFile);
  await writeReports(sampleReport("passed"), options);
  assertEquals(await Deno.readTextFile(page), text);
  assertEquals(await namesIn(`${folder}/docs`), ["page.md"]);
});

Deno.test("a page without marks fails the write, and nothing changes", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const folder = temporary.path;
  await Deno.writeTextFile(`${folder}/page.md`, "no marks");
  await assertRejects(
    () =>
      writeReports(sampleReport("passed"), {
        directory: `${folder}/reports`,
        formats: ["md"],
        page: `${folder}/page.md`,
      }),
    ReportWriteError,
    "it has no <!-- bench:start -->",
  );
  assertEquals(await Deno.readTextFile(`${folder}/page.md`), "no marks");
  assertEquals(await namesIn(`${folder}/reports`), []);
});

Deno.test("a place where nothing can be written is a clear error", {
  ignore: ignore || Deno.build.os !== "linux",
}, async () => {
  const error = await assertRejects(
    () => writeReports(sampleReport("passed"), { directory: "/proc/reports", formats: ["md"] }),
    ReportWriteError,
    "Cannot create the folder /proc/reports: ",
  );
  assert(error.cause instanceof Error);
});

Deno.test("the step summary is appended to the file", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const folder = temporary.path;
  const path = `${folder}/summary`;
  const report = sampleReport("passed");
  await Deno.writeTextFile(path, "of another program\n");
  await appendStepSummary(report, path);
  assertEquals(await Deno.readTextFile(path), `of another program\n${renderStepSummary(report)}`);
  await assertRejects(
    () => appendStepSummary(report, `${folder}/none/summary`),
    ReportWriteError,
    `Cannot append the summary to ${folder}/none/summary: `,
  );
});

Deno.test("a failed final write leaves no file of the unfinished run", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  const formats = ["json", "md", "html"] as const;
  await writeReports(sampleReport("interrupted"), { directory, formats, draws: false });
  await Deno.remove(`${directory}/report.md`);
  await Deno.mkdir(`${directory}/report.md/in`, { recursive: true });
  const write = () => writeReports(sampleReport("passed"), { directory, formats });
  const { message } = await assertRejects(write, ReportWriteError);
  assertEquals(message, `Cannot write ${directory}/report.md: a folder has that name`);
  assertEquals(await namesIn(directory), ["report.md"]);
});

Deno.test("a failed write is retried without files of unfinished runs", { ignore }, async () => {
  await using temporary = await makeTempFolder();
  const directory = temporary.path;
  const formats = ["json"] as const;
  await writeReports(sampleReport("interrupted"), { directory, formats, draws: false });
  // Fails the first attempt until it is removed, as a full disk would.
  await Deno.remove(`${directory}/report.json`);
  await Deno.mkdir(`${directory}/report.json`);
  await writeReports(sampleReport("passed"), { directory, formats });
  const text = await Deno.readTextFile(`${directory}/report.json`);
  assertEquals(parseReport(text, "report.json"), sampleReport("passed"));
});
