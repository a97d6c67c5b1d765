/**
 * A page of the user's with a part for us between two marks. Everything else in it stays as it is, to the
 * byte, whatever its encoding and line ends.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { dirname, relative, sep } from "node:path";
import { attempt, ReportWriteError } from "./whole_files.ts";

/** Where our part begins and ends. */
export const START_MARK = "<!-- bench:start -->";
export const END_MARK = "<!-- bench:end -->";
const MARKS: Marks = { start: START_MARK, end: END_MARK };

/** The marks around a part of a page. */
export interface Marks {
  start: string;
  end: string;
}

const ACCEPTED = `accepted is a file with one ${START_MARK} and, after it, one ${END_MARK}`;

/** A page that can be filled. */
export interface Page {
  /** Of the file itself, where the path given is a link. */
  path: string;
  bytes: Uint8Array;
  mode: number | null;
}

/**
 * Reads a page.
 *
 * @throws {ReportWriteError} if there is none, or its marks are not one of each, in their order
 */
export async function readPage(path: string): Promise<Page> {
  const what = `fill ${path} between its marks`;
  const page = await attempt(what, async () => {
    const real = await Deno.realPath(path);
    const { isFile, mode } = await Deno.stat(real);
    if (!isFile) throw new Error(`it is not a file; ${ACCEPTED}`);
    return { path: real, bytes: await Deno.readFile(real), mode };
  });
  const problem = markProblem(page.bytes);
  if (problem === null) return page;
  throw new ReportWriteError(`Cannot ${what}: ${problem}; ${ACCEPTED}`);
}

/**
 * Makes sure, before anything is measured, that a page can be filled afterwards, and returns the path of the file
 * itself.
 *
 * @throws {ReportWriteError} if it cannot be read, lacks its marks, or its folder cannot be written
 */
export async function checkPage(path: string): Promise<string> {
  const page = await readPage(path);
  const probe = `${page.path}.${crypto.randomUUID()}.tmp`;
  await attempt(`fill ${path} between its marks`, async () => {
    await Deno.writeTextFile(probe, "", { createNew: true });
    await Deno.remove(probe);
  });
  return page.path;
}

/** What is wrong with the marks of a page; `null` where there is one of each, in their order. */
export function markProblem(bytes: Uint8Array, { start, end }: Marks = MARKS): string | null {
  const starts = positionsOf(bytes, start);
  const ends = positionsOf(bytes, end);
  for (const [mark, { length }] of [[start, starts], [end, ends]] as const) {
    if (length !== 1) return `it has ${length === 0 ? "no" : length} ${mark}`;
  }
  return starts[0]! < ends[0]! ? null : `its ${end} comes before its ${start}`;
}

/**
 * The page with `text` between its marks, in the line ends that the page has there.
 *
 * @throws {RangeError} if its marks are not one of each, in their order
 */
export function fillPage(bytes: Uint8Array, text: string, marks: Marks = MARKS): Uint8Array {
  const problem = markProblem(bytes, marks);
  if (problem !== null) throw new RangeError(`Cannot fill the page: ${problem}`);
  const start = positionsOf(bytes, marks.start)[0]! + marks.start.length;
  const end = positionsOf(bytes, marks.end)[0]!;
  const eol = lineEnd(bytes, start);
  const filling = ["", "", ...text.trim().split("\n"), "", ""].join(eol);
  const parts = [bytes.subarray(0, start), Buffer.from(filling), bytes.subarray(end)];
  return new Uint8Array(Buffer.concat(parts));
}

/** A folder as a page in another one refers to it, without a slash at its end. */
export function folderFrom(pagePath: string, folder: string): string {
  return relative(dirname(pagePath), folder).split(sep)
    .map((part) => encodeURIComponent(part).replace(/[()]/g, (c) => c === "(" ? "%28" : "%29"))
    .join("/");
}

function positionsOf(bytes: Uint8Array, mark: string): number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const positions: number[] = [];
  for (let at = buffer.indexOf(mark); at >= 0; at = buffer.indexOf(mark, at + 1)) {
    positions.push(at);
  }
  return positions;
}

/** The line end at or after a position, else the first of the page, else a line feed. */
function lineEnd(bytes: Uint8Array, from: number): string {
  const next = bytes.indexOf(0x0a, from);
  const at = next >= 0 ? next : bytes.indexOf(0x0a);
  return at > 0 && bytes[at - 1] === 0x0d ? "\r\n" : "\n";
}
