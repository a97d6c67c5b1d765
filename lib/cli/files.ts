/**
 * Settings that are, or may be, files. One that cannot be used throws a UsageError that names the setting, the file
 * and what is accepted.
 *
 * @module
 */

import { relative, resolve } from "node:path";
import type { Report } from "../schema.ts";
import { parseReport, ReportParseError } from "../report/export/json.ts";
import type { Settings } from "./command_line.ts";
import { checkPage } from "./injected_page.ts";
import { FAILED_FOLDER } from "./report_folder.ts";
import { causeOf, expecting, type Given, quoted, unacceptable, UsageError } from "./usage_error.ts";
import { ReportWriteError } from "./whole_files.ts";
import { REPORT_FORMATS, reportFileNames } from "./write_reports.ts";

/** The folder that paths are relative to. */
interface Place {
  directory: string;
}

/** The text of the file that a setting names. */
export async function readFile(given: Given, { directory }: Place): Promise<string> {
  const path = resolve(directory, given.text);
  try {
    // Some editors put a byte order mark before the first line.
    return (await Deno.readTextFile(path)).replace(/^\uFEFF/, "");
  } catch (error) {
    const place = path === given.text ? "" : ` at ${quoted(path)}`;
    const what = `Cannot read the file of ${given.source} ${quoted(given.text)}`;
    const cause = causeOf(error) + place;
    throw new UsageError(`${what}: ${cause}; accepted is a file that can be read`);
  }
}

/** The arguments of the calls as JSON text, given as such or as `@FILE`. */
export async function readToolArgs(given: Given, place: Place): Promise<string> {
  const { source, text: said } = given;
  const isFile = said.startsWith("@");
  const text = isFile ? await readFile({ source, text: said.slice(1) }, place) : said;
  try {
    const value: unknown = JSON.parse(text.replaceAll("{seq}", "1").replaceAll("{unique}", "1"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return text.trim();
  } catch {
    // Falls through to the error that names the option.
  }
  throw unacceptable(given, `a JSON object such as '{"n":"{seq}"}', or @FILE that holds one`);
}

/** The report.json that is named. */
export async function readReport(given: Given, place: Place): Promise<Report> {
  const text = await readFile(given, place);
  return expecting(ReportParseError, () => parseReport(text, given.text));
}

/** The report.json files that are named, and those in the folders that are named, each once. */
export async function readBaselines(givens: readonly Given[], place: Place): Promise<Report[]> {
  const { directory } = place;
  const files = await Promise.all(givens.map(async (given) => {
    const path = resolve(directory, given.text);
    const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
    return isFolder ? await reportsIn(given, path) : [given];
  }));
  const unique = new Map(files.flat().map((one) => [resolve(directory, one.text), one]));
  return await Promise.all(unique.values().map((one) => readReport(one, place)));
}

/** The JSON files of a folder, and the report.json of the folders in it. */
async function reportsIn(given: Given, folder: string): Promise<Given[]> {
  const paths: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    throw unacceptable(given, `a folder that can be read (${causeOf(error)})`);
  });
  for (const { name, isDirectory, isFile } of entries) {
    if (isFile && name.endsWith(".json")) paths.push(`${folder}/${name}`);
    const inner = `${folder}/${name}/report.json`;
    const isMeasured = isDirectory && name !== FAILED_FOLDER;
    if (isMeasured && await Deno.stat(inner).then(() => true, () => false)) paths.push(inner);
  }
  if (paths.length > 0) return paths.sort().map((text) => ({ source: given.source, text }));
  throw unacceptable(given, "a report.json, or a folder with such files");
}

/** A certificate authority as PEM text. */
export async function readCaCert(given: Given, place: Place): Promise<string> {
  const text = await readFile(given, place);
  const accepted = "a PEM file with a certificate";
  if (!/-----BEGIN CERTIFICATE-----.+-----END CERTIFICATE-----/s.test(text)) {
    throw unacceptable(given, accepted);
  }
  try {
    Deno.createHttpClient({ caCerts: [text] }).close();
    return text;
  } catch (error) {
    throw unacceptable(given, `${accepted}, not one that cannot be read (${causeOf(error)})`);
  }
}

/** The client's certificate with its key, as PEM texts; `null` where none is named. */
export async function readClientCert(
  settings: Settings,
  place: Place,
): Promise<{ cert: string; key: string } | null> {
  const [cert, key] = ["client-cert", "client-key"].map((name) => settings.get(name)?.at(-1));
  if (cert === undefined || key === undefined) {
    const given = cert ?? key;
    if (given === undefined) return null;
    const missing = cert === undefined ? "--client-cert FILE" : "--client-key FILE";
    throw unacceptable(given, `it with ${missing} beside it`);
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

/** A page to fill between its marks, as the path of the file itself. */
export async function readPagePath(given: Given, { directory }: Place): Promise<string> {
  try {
    return await checkPage(resolve(directory, given.text));
  } catch (error) {
    if (!(error instanceof ReportWriteError)) throw error;
    throw new UsageError(`Cannot use ${given.source} "${given.text}". ${error.message}`);
  }
}

/** Makes sure that the page to fill is none of the files that the reports go to. */
export async function refuseOwnFile(page: string | null, directory: string): Promise<void> {
  if (page === null) return;
  const folder = await Deno.realPath(directory).catch(() => directory);
  const own = REPORT_FORMATS.flatMap(reportFileNames)
    .find((name) => relative(folder, page) === name);
  if (own === undefined) return;
  const why = `${own} in --out is written anew; accepted is a page of yours`;
  throw new UsageError(`Cannot use --inject ${quoted(page)}: ${why}`);
}
