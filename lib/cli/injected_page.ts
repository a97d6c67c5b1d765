/**
 * Fills the part of a user's page between two marks. Every other byte stays as it is, whatever the
 * encoding and line endings. A page that cannot be filled throws a ReportWriteError.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { dirname, relative, sep } from "node:path";
import { attempt } from "./whole_files.ts";

/** Begins the part that is filled. */
export const START_MARK = "<!-- bench:start -->";
/** Ends the part that is filled. */
export const END_MARK = "<!-- bench:end -->";

const ACCEPTED = `accepted is a file with one ${START_MARK} and, after it, one ${END_MARK}`;

/** Reads a page that has both marks once, in order. Its path is returned with links resolved. */
export async function readPage(path: string) {
  return await attempt(`fill ${path} between its marks`, async () => {
    const real = await Deno.realPath(path);
    const { isFile, mode } = await Deno.stat(real);
    if (!isFile) throw new Error(`it is not a file; ${ACCEPTED}`);
    const bytes = await Deno.readFile(real);
    const problem = markProblem(bytes);
    if (problem !== null) throw new Error(`${problem}; ${ACCEPTED}`);
    return { path: real, bytes, mode };
  });
}

/** Checks, before anything is measured, that a page can be filled later, and returns its path. */
export async function checkPage(path: string): Promise<string> {
  const page = await readPage(path);
  const probe = `${page.path}.${crypto.randomUUID()}.tmp`;
  await attempt(`fill ${path} between its marks`, async () => {
    await Deno.writeTextFile(probe, "", { createNew: true });
    await Deno.remove(probe);
  });
  return page.path;
}

/** One character per byte, whatever the encoding: the marks are ASCII. */
function charactersOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** What is wrong with the marks of a page; `null` if both are there once, in order. */
export function markProblem(bytes: Uint8Array): string | null {
  const page = charactersOf(bytes);
  for (const mark of [START_MARK, END_MARK]) {
    const count = page.split(mark).length - 1;
    if (count !== 1) return `it has ${count === 0 ? "no" : count} ${mark}`;
  }
  const isInOrder = page.indexOf(START_MARK) < page.indexOf(END_MARK);
  return isInOrder ? null : `its ${END_MARK} comes before its ${START_MARK}`;
}

/**
 * Puts `text` between the marks of a page that `readPage` has checked. Line endings are those after
 * the start mark, or else those at the start of the page.
 */
export function fillPage(bytes: Uint8Array, text: string): Uint8Array {
  const page = charactersOf(bytes);
  const start = page.indexOf(START_MARK) + START_MARK.length;
  const [lineEnd = "\n"] = /\r?\n/.exec(page.slice(start)) ?? /\r?\n/.exec(page) ?? [];
  const filling = ["", "", ...text.trim().split("\n"), "", ""].join(lineEnd);
  const rest = bytes.subarray(page.indexOf(END_MARK));
  return new Uint8Array(Buffer.concat([bytes.subarray(0, start), Buffer.from(filling), rest]));
}

/** The URL of a folder relative to a page, without a trailing slash. */
export function folderFrom(pagePath: string, folder: string): string {
  return relative(dirname(pagePath), folder).split(sep)
    .map((part) => encodeURIComponent(part).replace(/[()]/g, (c) => c === "(" ? "%28" : "%29"))
    .join("/");
}
