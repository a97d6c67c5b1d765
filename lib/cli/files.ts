/**
 * Reads settings that name files. Errors are UsageErrors with the setting, the file and what is
 * accepted.
 *
 * @module
 */

import { relative, resolve } from "node:path";
import { isRecord } from "../protocols/json.ts";
import type { Report } from "../schema.ts";
import { parseReport, ReportParseError } from "../report/export/json.ts";
import type { Place, Settings } from "./command_line.ts";
import { checkPage } from "./injected_page.ts";
import { FAILED_FOLDER } from "./report_folder.ts";
import { causeOf, expecting, type Given, quoted, unacceptable, UsageError } from "./usage_error.ts";
import { ReportWriteError } from "./whole_files.ts";
import { REPORT_FORMATS, reportFileNames } from "./write_reports.ts";

type Folder = Pick<Place, "directory">;

/** Reads the file that a setting names. */
export async function readFile(given: Given, { directory }: Folder): Promise<string> {
  const path = resolve(directory, given.text);
  try {
    // Some editors write a byte order mark.
    return (await Deno.readTextFile(path)).replace(/^\uFEFF/, "");
  } catch (error) {
    const place = path === given.text ? "" : ` at ${quoted(path)}`;
    const what = `Cannot read the file of ${given.source} ${quoted(given.text)}`;
    throw new UsageError(`${what}: ${causeOf(error)}${place}; accepted is a readable file`);
  }
}

/** The arguments of the calls as JSON text, given directly or as `@FILE`. */
export async function readToolArgs(given: Given, place: Folder): Promise<string> {
  const { source, text: value } = given;
  const isFile = value.startsWith("@");
  const text = isFile ? await readFile({ source, text: value.slice(1) }, place) : value;
  try {
    const args: unknown = JSON.parse(text.replaceAll("{seq}", "1").replaceAll("{unique}", "1"));
    if (isRecord(args)) return text.trim();
  } catch {
    // Falls through to the error below.
  }
  throw unacceptable(given, `a JSON object such as '{"n":"{seq}"}', or @FILE that holds one`);
}

/** Reads the report.json that a setting names. */
export async function readReport(given: Given, place: Folder): Promise<Report> {
  const text = await readFile(given, place);
  const file = `the file of ${given.source} ${quoted(given.text)}`;
  const isReport = /"schemaVersion"\s*:\s*\d/.test(text);
  const advice = isReport ? "" : "; it is not a report.json of this suite";
  return expecting(ReportParseError, () => parseReport(text, file), advice);
}

/** Reads each named report.json, and those in the named folders, once. */
export async function readBaselines(givens: readonly Given[], place: Folder): Promise<Report[]> {
  const { directory } = place;
  const files = await Promise.all(givens.map(async (given) => {
    const path = resolve(directory, given.text);
    const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
    return isFolder ? await reportsIn(given, path) : [given];
  }));
  const unique = new Map(files.flat().map((one) => [resolve(directory, one.text), one]));
  return await Promise.all(unique.values().map((one) => readReport(one, place)));
}

/** The JSON reports in a folder, and the report.json in each of its subfolders. */
async function reportsIn(given: Given, folder: string): Promise<Given[]> {
  const paths: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    throw unacceptable(given, `a readable folder (${causeOf(error)})`);
  });
  for (const { name, isDirectory, isFile } of entries) {
    const isReport = name.endsWith(".json") && !reportFileNames("benchmark").includes(name);
    if (isFile && isReport) paths.push(`${folder}/${name}`);
    const inner = `${folder}/${name}/report.json`;
    const isMeasured = isDirectory && name !== FAILED_FOLDER;
    if (isMeasured && await Deno.stat(inner).then(() => true, () => false)) paths.push(inner);
  }
  if (paths.length > 0) return paths.sort().map((text) => ({ source: given.source, text }));
  throw unacceptable(given, "a report.json, or a folder with such files");
}

/** Reads a certificate authority, as PEM text. */
export async function readCaCert(given: Given, place: Folder): Promise<string> {
  const text = await readFile(given, place);
  const accepted = "a PEM file with a certificate";
  if (!/-----BEGIN CERTIFICATE-----.+-----END CERTIFICATE-----/s.test(text)) {
    throw unacceptable(given, accepted);
  }
  try {
    Deno.createHttpClient({ caCerts: [text] }).close();
    return text;
  } catch (error) {
    throw unacceptable(given, `${accepted} (${causeOf(error)})`);
  }
}

/** Reads the client's certificate and key as PEM texts; `null` if none is named. */
export async function readClientCert(
  settings: Settings,
  place: Folder,
): Promise<{ cert: string; key: string } | null> {
  const [cert, key] = ["client-cert", "client-key"].map((name) => settings.get(name)?.at(-1));
  if (cert === undefined || key === undefined) {
    const given = cert ?? key;
    if (given === undefined) return null;
    const missing = cert === undefined ? "--client-cert FILE" : "--client-key FILE";
    const what = `${given.source} ${quoted(given.text)} without ${missing}`;
    throw new UsageError(`Cannot use ${what}: accepted are both, or neither`);
  }
  const pair = { cert: await readFile(cert, place), key: await readFile(key, place) };
  try {
    Deno.createHttpClient(pair).close();
    return pair;
  } catch (error) {
    const cause = causeOf(error);
    throw /keys? /i.test(cause)
      ? unacceptable(key, `a PEM file with the key of --client-cert (${cause})`)
      : unacceptable(cert, `a PEM file with a certificate (${cause})`);
  }
}

/** Checks the page to fill between its marks, and returns its path with links resolved. */
export async function readPagePath(given: Given, { directory }: Folder): Promise<string> {
  try {
    return await checkPage(resolve(directory, given.text));
  } catch (error) {
    if (!(error instanceof ReportWriteError)) throw error;
    throw new UsageError(`Cannot use ${given.source} "${given.text}". ${error.message}`);
  }
}

/** Refuses a page to fill that is itself one of the reports. */
export async function refuseOwnFile(page: string | null, directory: string): Promise<void> {
  if (page === null) return;
  const folder = await Deno.realPath(directory).catch(() => directory);
  const own = REPORT_FORMATS.flatMap(reportFileNames)
    .find((name) => relative(folder, page) === name);
  if (own === undefined) return;
  const why = `${own} in --out is overwritten by each run; accepted is a page of your own`;
  throw new UsageError(`Cannot use --inject ${quoted(page)}: ${why}`);
}
