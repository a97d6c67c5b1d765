import { causeOf } from "./usage_error.ts";

export interface WholeFile {
  path: string;
  content: string | Uint8Array;
  /** Permission bits to set. */
  mode?: number | null;
}

/** A file could not be written; the message names the path and the cause. */
export class ReportWriteError extends Error {
  override readonly name = "ReportWriteError";
}

/**
 * Writes files whole or not at all: all are completed under temporary names, then renamed.
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
    // Checked before any file is renamed, so that all of them are replaced or none is.
    await forEach(async ({ path }) => {
      const there = await Deno.lstat(path).catch(() => null);
      if (there?.isDirectory) throw new Error("a folder has that name");
    });
    await forEach(({ path }) => Deno.rename(path + suffix, path));
  } catch (error) {
    // Some were never created, or are already renamed.
    await Promise.all(files.map(({ path }) => Deno.remove(path + suffix).catch(() => {})));
    throw error;
  }
}

/**
 * Runs `action`.
 *
 * @throws {ReportWriteError} "Cannot `what`: cause", for any error that it throws
 */
export async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new ReportWriteError(`Cannot ${what}: ${causeOf(error)}`, { cause: error });
  }
}
