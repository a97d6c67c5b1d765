/**
 * Writes the reports of a run to a folder, and fills a page of the user's.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { CHARTS_FOLDER, removeStaleCharts } from "./chart_files.ts";
import type { Chart } from "./charts/chart.ts";
import { renderBenchmarkJson } from "./benchmark_json.ts";
import { renderStepSummary } from "./github/step_summary.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderInjection } from "./markdown/inject.ts";
import { fillPage, folderFrom, readPage } from "./page.ts";
import { attempt, type WholeFile, writeWhole } from "./whole_files.ts";

export { ReportWriteError } from "./whole_files.ts";

/** The formats that can be written. */
export const REPORT_FORMATS = ["json", "md", "html", "junit", "github", "benchmark"] as const;
export type ReportFormat = typeof REPORT_FORMATS[number];

type Render = (report: Report, charts: readonly Chart[]) => string;

interface ReportFile {
  name: string;
  render: Render;
}

const FILES: Record<ReportFormat, readonly ReportFile[]> = {
  json: [{ name: "report.json", render: renderJson }],
  md: [{
    name: "report.md",
    render: (report, charts) => renderMarkdown(report, { charts, folder: CHARTS_FOLDER }),
  }],
  html: [{ name: "report.html", render: renderHtml }],
  junit: [{ name: "junit.xml", render: renderJunit }],
  github: [{ name: "github-summary.md", render: renderStepSummary }],
  benchmark: [
    { name: "benchmark-bigger.json", render: (report) => renderBenchmarkJson(report, "higher") },
    { name: "benchmark-smaller.json", render: (report) => renderBenchmarkJson(report, "lower") },
  ],
};

/** The names of the files that a format writes. */
export function reportFileNames(format: ReportFormat): string[] {
  return FILES[format].map(({ name }) => name);
}

/** Where reports go, and which. */
export interface WriteOptions {
  /** Created if it is not there. */
  directory: string;
  formats: readonly ReportFormat[];
  /** Whether the charts are drawn, where a format has them; not while a run goes on. */
  draws?: boolean;
  /** A page to fill between its marks; `null`: none. */
  page?: string | null;
}

/**
 * Writes a report in every format asked for and returns the paths. Markdown brings its charts along, in a
 * folder beside it, and those of an earlier run are removed from there; HTML has them within. Files are written whole or not at
 * all, all of them or none.
 *
 * @throws {ReportWriteError} if the folder cannot be made, a file not written or the page not filled
 */
export async function writeReports(report: Report, options: WriteOptions): Promise<string[]> {
  const { formats, draws = true, page = null } = options;
  const directory = options.directory.replace(/[/\\]+$/, "") || options.directory;
  await makeFolder(directory);
  const hasCharts = formats.includes("md") || page !== null;
  const showsCharts = hasCharts || formats.includes("html");
  const charts = showsCharts && draws ? await drawCharts(report) : [];
  const chartsFolder = `${directory}/${CHARTS_FOLDER}`;
  const files = [
    ...formats.flatMap((format) => FILES[format]).map(({ name, render }) => ({
      path: `${directory}/${name}`,
      content: render(report, charts),
    })),
    ...(page === null ? [] : [await filledPage(report, { page, charts, directory })]),
  ];
  const pictures = !hasCharts ? [] : charts.map(({ name, svg }) => ({
    path: `${chartsFolder}/${name}.svg`,
    content: svg,
  }));
  await withFolder(pictures.length > 0 ? chartsFolder : null, async () => {
    // The pages last: what they show is there before them.
    await writeWhole([...pictures, ...files]);
  });
  if (hasCharts) {
    await attempt(
      `remove old charts from ${chartsFolder}`,
      () => removeStaleCharts(chartsFolder, charts.map(({ name }) => name)),
    );
  }
  return files.map(({ path }) => path);
}

/** Loads what draws only when something is drawn: it is a megabyte. */
async function drawCharts(report: Report): Promise<Chart[]> {
  const { renderCharts } = await import("./charts/mod.ts");
  return renderCharts(report);
}

async function makeFolder(path: string): Promise<void> {
  await attempt(`create the folder ${path}`, () => Deno.mkdir(path, { recursive: true }));
}

/** Runs `action` with a folder, which goes again if it is new and `action` fails. */
async function withFolder(path: string | null, action: () => Promise<void>): Promise<void> {
  const isNew = path !== null && await attempt(`create the folder ${path}`, () => makeNew(path));
  try {
    await action();
  } catch (error) {
    if (isNew) await Deno.remove(path).catch(() => {});
    throw error;
  }
}

/** Whether there was none. */
async function makeNew(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function filledPage(
  report: Report,
  { page, charts, directory }: { page: string; charts: readonly Chart[]; directory: string },
): Promise<WholeFile> {
  const { path, bytes, mode } = await readPage(page);
  const real = await attempt(`find ${directory}`, () => Deno.realPath(directory));
  const folder = folderFrom(path, `${real}/${CHARTS_FOLDER}`);
  return { path, content: fillPage(bytes, renderInjection(report, { charts, folder })), mode };
}

/**
 * Adds the short page of a report to the file that GitHub shows as the summary of a step.
 *
 * @throws {ReportWriteError} if it cannot be written
 */
export async function appendStepSummary(report: Report, path: string): Promise<void> {
  const text = renderStepSummary(report);
  await attempt(
    `append the summary to ${path}`,
    () => Deno.writeTextFile(path, text, { append: true }),
  );
}
