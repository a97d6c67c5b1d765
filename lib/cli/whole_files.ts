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
  const forEach = async (action: (file: WholeFile) => Promise<void>) => {
    for (const file of files) await attempt(`write ${file.path}`, () => action(file));
  };
  try {
    await forEach(async ({ path, content, mode = null }) => {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path + suffix, bytes, { createNew: true });
      if (mode !== null && Deno.build.os !== "windows") await Deno.chmod(path + suffix, mode);
    });
    // Looked for beforehand, so that none has its final name when another cannot have its own.
    await forEach(async ({ path }) => {
      const there = await Deno.lstat(path).catch(() => null);
      if (there?.isDirectory) throw new Error("a folder is in its place");
    });
    await forEach(({ path }) => Deno.rename(path + suffix, path));
  } catch (error) {
    // Some were never made, or have their final name already.
    await Promise.all(files.map(({ path }) => Deno.remove(path + suffix).catch(() => {})));
    throw error;
  }
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
