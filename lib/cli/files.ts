/**
 * Settings that are, or may be, files.
 *
 * @module
 */

import { relative } from "node:path";
import type { Report } from "../schema.ts";
import { parseReport, ReportParseError } from "../report/export/json.ts";
import { checkPage } from "./injected_page.ts";
import { FAILED_FOLDER } from "./report_folder.ts";
import { ReportWriteError } from "./whole_files.ts";
import { REPORT_FORMATS, reportFileNames } from "./write_reports.ts";
import type { Given } from "./parse.ts";
import { resolvePath } from "./paths.ts";
import { causeOf, quoted, UsageError } from "./usage_error.ts";
import { unacceptable } from "./values.ts";

/**
 * The arguments of the calls as JSON text, `{}` where none are given.
 *
 * @throws {UsageError} if they are no JSON object, or the file cannot be read
 */
export async function readToolArgs(given: Given | undefined, directory: string): Promise<string> {
  if (given === undefined) return "{}";
  const text = given.text.startsWith("@")
    ? await readFile({ source: given.source, text: given.text.slice(1) }, directory)
    : given.text;
  const accepted = `a JSON object such as '{"n":"{seq}"}', or @FILE that holds one`;
  try {
    const value: unknown = JSON.parse(text.replaceAll("{seq}", "1").replaceAll("{unique}", "1"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return text.trim();
  } catch {
    // Falls through to the error that names the option.
  }
  throw unacceptable({ source: given.source, text: given.text }, accepted);
}

/**
 * A report.json, `null` where none is named.
 *
 * @throws {UsageError} if it cannot be read
 */
export async function readReport(
  given: Given | undefined,
  directory: string,
): Promise<Report | null> {
  if (given === undefined) return null;
  try {
    return parseReport(await readFile(given, directory), given.text);
  } catch (error) {
    throw error instanceof ReportParseError ? new UsageError(error.message) : error;
  }
}

/**
 * The report.json files that are named, and those in the folders that are named, each once.
 *
 * @throws {UsageError} if one cannot be read, or a folder has none
 */
export async function readBaselines(
  givens: readonly Given[] | undefined,
  directory: string,
): Promise<Report[]> {
  const files = await Promise.all((givens ?? []).map(async (given) => {
    const path = resolvePath(directory, given.text);
    const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
    return isFolder ? await reportsIn(given, path) : [given];
  }));
  const unique = new Map(files.flat().map((one) => [resolvePath(directory, one.text), one]));
  return await Promise.all(
    [...unique.values()].map(async (one) => (await readReport(one, directory))!),
  );
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

/**
 * A certificate authority as PEM text, `null` where none is named.
 *
 * @throws {UsageError} if the file cannot be read or has no certificate
 */
export async function readCaCert(
  given: Given | undefined,
  directory: string,
): Promise<string | null> {
  if (given === undefined) return null;
  const text = await readFile(given, directory);
  const accepted = "a PEM file with a certificate";
  const isWhole = /-----BEGIN CERTIFICATE-----.+-----END CERTIFICATE-----/s.test(text);
  if (!isWhole) throw unacceptable(given, accepted);
  try {
    Deno.createHttpClient({ caCerts: [text] }).close();
    return text;
  } catch (error) {
    throw unacceptable(given, `${accepted}, not one that cannot be read (${causeOf(error)})`);
  }
}

/**
 * A certificate of this client's with its key, as PEM texts; `null` where none is named.
 *
 * @throws {UsageError} if one is missing, cannot be read, or does not fit the other
 */
export async function readClientCert(
  { cert, key }: { cert: Given | undefined; key: Given | undefined },
  directory: string,
): Promise<{ cert: string; key: string } | null> {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined
      ? [key!, "--client-cert FILE"]
      : [cert, "--client-key FILE"];
    throw unacceptable(given, `it with ${missing} beside it`);
  }
  const pair = { cert: await readFile(cert, directory), key: await readFile(key, directory) };
  try {
    Deno.createHttpClient(pair).close();
    return pair;
  } catch (error) {
    const isKey = /keys? /i.test(causeOf(error));
    throw unacceptable(
      isKey ? key : cert,
      (isKey ? "a PEM file with the key of --client-cert" : "a PEM file with a certificate") +
        ` (${causeOf(error)})`,
    );
  }
}

/**
 * A page to fill between its marks, as the path of the file itself; `null` where none is named.
 *
 * @throws {UsageError} if it cannot be filled
 */
export async function readPagePath(
  given: Given | undefined,
  directory: string,
): Promise<string | null> {
  if (given === undefined) return null;
  const path = resolvePath(directory, given.text);
  try {
    return await checkPage(path);
  } catch (error) {
    if (!(error instanceof ReportWriteError)) throw error;
    throw new UsageError(`Cannot use ${given.source} "${given.text}". ${error.message}`);
  }
}

/**
 * Makes sure that the page to fill is none of the files that the reports go to.
 *
 * @throws {UsageError} if it is
 */
export async function refuseOwnFile(page: string | null, directory: string): Promise<void> {
  const folder = await Deno.realPath(directory).catch(() => directory);
  const own = REPORT_FORMATS.flatMap(reportFileNames).find((name) =>
    page !== null && relative(folder, page) === name
  );
  if (own === undefined) return;
  throw new UsageError(
    `Cannot use --inject ${
      quoted(page!)
    }: ${own} in --out is written anew; accepted is a page of yours`,
  );
}

/**
 * The text of the file that a setting names.
 *
 * @throws {UsageError} if it cannot be read
 */
export async function readFile(given: Given, directory: string): Promise<string> {
  const path = resolvePath(directory, given.text);
  try {
    // Some editors put a byte order mark before the first line.
    return (await Deno.readTextFile(path)).replace(/^\uFEFF/, "");
  } catch (error) {
    const place = path === given.text ? "" : ` at ${quoted(path)}`;
    const cause = causeOf(error) + place;
    throw new UsageError(
      `Cannot read the file of ${given.source} ${
        quoted(given.text)
      }: ${cause}; accepted is a file ` +
        "that can be read",
    );
  }
}
