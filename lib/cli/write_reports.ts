import type { Report } from "../schema.ts";
import type { Figure } from "../report/document.ts";
import { drawFigures, figureSignature } from "../report/charts/mod.ts";
import { renderHtml } from "../report/render/html.ts";
import { renderMarkdown } from "../report/render/markdown.ts";
import { renderTerminal, type TerminalOptions } from "../report/render/terminal.ts";
import { buildDocument } from "../report/sections/mod.ts";
import { renderBenchmarkJson } from "../report/export/benchmark.ts";
import { renderStepSummary } from "../report/export/github.ts";
import { renderJson } from "../report/export/json.ts";
import { renderJunit } from "../report/export/junit.ts";
import { fillPage, folderFrom, readPage } from "./injected_page.ts";
import { attempt, type WholeFile, writeWhole } from "./whole_files.ts";

export { ReportWriteError } from "./whole_files.ts";

export const REPORT_FORMATS = ["json", "md", "html", "junit", "github", "benchmark"] as const;
export type ReportFormat = typeof REPORT_FORMATS[number];

type Figures = ReadonlyMap<string, Figure>;
type Render = (report: Report, figures: Figures) => string;

/** The folder of the charts, next to report.md. */
const CHARTS_FOLDER = "charts";

const pageOf = (report: Report, charts: Figures) =>
  buildDocument(report, { charts, audience: "page" });

const FILES: Record<ReportFormat, Readonly<Record<string, Render>>> = {
  json: { "report.json": renderJson },
  md: {
    "report.md": (report, charts) =>
      renderMarkdown(pageOf(report, charts), { chartPath: (id) => `${CHARTS_FOLDER}/${id}.svg` }),
  },
  html: { "report.html": (report, charts) => renderHtml(pageOf(report, charts)) },
  junit: { "junit.xml": renderJunit },
  github: { "github-summary.md": renderStepSummary },
  benchmark: {
    "benchmark-bigger.json": (report) => renderBenchmarkJson(report, "higher"),
    "benchmark-smaller.json": (report) => renderBenchmarkJson(report, "lower"),
  },
};

/** Renders the summary at the end of a run, with a final line break. */
export function renderTerminalSummary(report: Report, options: TerminalOptions): string {
  const document = buildDocument(report, { charts: new Map(), audience: "terminal" });
  return renderTerminal(document, options);
}

/** The names of a format's files. */
export function reportFileNames(format: ReportFormat): string[] {
  return Object.keys(FILES[format]);
}

export interface WriteOptions {
  /** Created if missing. */
  directory: string;
  formats: readonly ReportFormat[];
  /** False while a run goes on: no charts are drawn. Default: true. */
  draws?: boolean;
  /** The page to fill between its marks. Default: none. */
  page?: string | null;
}

/**
 * Writes a report in the formats asked for and returns the paths. Charts go to a folder next to
 * report.md, where those of earlier runs are removed; HTML embeds them. Files are written all or
 * none. If the final ones cannot be, the unfinished ones of the same run are removed too.
 *
 * @throws {ReportWriteError} if the folder, a file or the page cannot be written
 */
export async function writeReports(
  report: Report,
  { directory, formats, draws = true, page = null }: WriteOptions,
): Promise<string[]> {
  await attempt(`create the folder ${directory}`, () => Deno.mkdir(directory, { recursive: true }));
  const hasCharts = formats.includes("md") || page !== null;
  const isDrawn = draws && (hasCharts || formats.includes("html"));
  const figures: Figures = isDrawn ? await drawFigures(report) : new Map();
  const files: WholeFile[] = formats.flatMap((format) =>
    Object.entries(FILES[format]).map(([name, render]) => ({
      path: `${directory}/${name}`,
      content: render(report, figures),
    }))
  );
  if (page !== null) files.push(await filledPage(report, { page, figures, directory }));
  const charts = `${directory}/${CHARTS_FOLDER}`;
  const pictures = !hasCharts ? [] : [...figures.values()].map(({ id, svg }) => ({
    path: `${charts}/${id}.svg`,
    content: svg,
  }));
  // Pages come last, after the charts that they show.
  const write = () => writeWithFolder(pictures.length > 0 ? charts : null, [...pictures, ...files]);
  await write().catch(async (error) => {
    // A full disk may have room once the unfinished reports are gone.
    if (!draws || !await removeUnfinished()) throw error;
    await write();
  });
  for (const { path } of files) draws ? UNFINISHED.delete(path) : UNFINISHED.add(path);
  if (hasCharts) {
    const kept = pictures.map(({ path }) => path);
    await attempt(`remove old charts from ${charts}`, () => removeStaleCharts(charts, kept));
  }
  return files.map(({ path }) => path);
}

/** Reports of runs that are still going on, removed if the final ones cannot be written. */
const UNFINISHED = new Set<string>();

/** Returns true if there was anything to remove. */
async function removeUnfinished(): Promise<boolean> {
  const paths = [...UNFINISHED];
  UNFINISHED.clear();
  await Promise.all(paths.map((path) => Deno.remove(path).catch(() => {})));
  return paths.length > 0;
}

/** Writes files, some of them into a folder; on failure, a new folder is removed again. */
async function writeWithFolder(folder: string | null, files: readonly WholeFile[]): Promise<void> {
  const isThere = folder === null || await Deno.stat(folder).then(() => true, () => false);
  if (!isThere) await attempt(`create the folder ${folder}`, () => Deno.mkdir(folder));
  await writeWhole(files).catch(async (error) => {
    if (!isThere) await Deno.remove(folder).catch(() => {});
    throw error;
  });
}

/**
 * Removes the charts that an earlier run left in a folder, recognised by how a chart of that name
 * begins. All other files stay.
 */
async function removeStaleCharts(folder: string, kept: readonly string[]): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return [];
    throw error;
  });
  for (const { name, isFile } of entries) {
    const path = `${folder}/${name}`;
    if (!isFile || !name.endsWith(".svg") || kept.includes(path)) continue;
    const text = await Deno.readTextFile(path);
    if (text.startsWith(figureSignature(name.slice(0, -".svg".length)))) await Deno.remove(path);
  }
}

async function filledPage(
  report: Report,
  { page, figures, directory }: { page: string; figures: Figures; directory: string },
): Promise<WholeFile> {
  const { path, bytes, mode } = await readPage(page);
  const real = await attempt(`find ${directory}`, () => Deno.realPath(directory));
  const folder = folderFrom(path, `${real}/${CHARTS_FOLDER}`);
  const document = buildDocument(report, { charts: figures, audience: "summary" });
  const chartPath = (id: string) => `${folder}/${id}.svg`;
  const text = renderMarkdown(document, { chartPath, titleLevel: 0 });
  return { path, content: fillPage(bytes, text), mode };
}

/**
 * Appends the short form of a report to the file that GitHub shows as a step's summary.
 *
 * @throws {ReportWriteError} if it cannot be written
 */
export async function appendStepSummary(report: Report, path: string): Promise<void> {
  const write = () => Deno.writeTextFile(path, renderStepSummary(report), { append: true });
  await attempt(`append the summary to ${path}`, write);
}
