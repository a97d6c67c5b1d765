/**
 * Writes files whole or not at all.
 *
 * @module
 */

import { causeOf } from "./usage_error.ts";

/** A file to write. */
export interface WholeFile {
  path: string;
  content: string | Uint8Array;
  /** Permission bits, where they are to be kept. */
  mode?: number | null;
}

/** A report that could not be written; the message names the path and the cause. */
export class ReportWriteError extends Error {
  override readonly name = "ReportWriteError";
}

/**
 * Writes files whole or not at all: all of them are complete beside their final names before the first
 * takes its own.
 *
 * @throws {ReportWriteError} if one cannot be written
 */
export async function writeWhole(files: readonly WholeFile[]): Promise<void> {
  const suffix = `.${crypto.randomUUID()}.tmp`;
  try {
    for (const file of files) {
      await attempt(`write ${file.path}`, () => writeNew(file.path + suffix, file));
    }
    // What can be told beforehand, so that none has its final name when another cannot have its own.
    for (const { path } of files) await attempt(`write ${path}`, () => refuseFolder(path));
    for (const { path } of files) {
      await attempt(`write ${path}`, () => Deno.rename(path + suffix, path));
    }
  } catch (error) {
    await Promise.all(files.map(({ path }) => removeIfThere(path + suffix)));
    throw error;
  }
}

async function refuseFolder(path: string): Promise<void> {
  const there = await Deno.lstat(path).catch(() => null);
  if (there?.isDirectory) throw new Error("a folder is in its place");
}

async function writeNew(path: string, { content, mode = null }: WholeFile): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(path, bytes, { createNew: true });
  if (mode !== null && Deno.build.os !== "windows") await Deno.chmod(path, mode);
}

/**
 * Runs `action`.
 *
 * @throws {ReportWriteError} in place of what it throws: "Cannot `what`: cause"
 */
export async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new ReportWriteError(`Cannot ${what}: ${causeOf(error)}`, { cause: error });
  }
}

/** The file may never have been made, or have its final name already. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // Nothing is left to do: the error that brought us here is the one to tell.
  }
}
