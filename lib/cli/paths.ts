import { resolve } from "node:path";
import { causeOf, quoted, UsageError } from "./usage_error.ts";

/** A person's path, relative to the folder in which they called the command. */
export function resolvePath(directory: string, path: string): string {
  return resolve(directory, path);
}

/**
 * Makes sure, before anything is measured, that reports can be written to a folder, which it creates.
 *
 * @throws {UsageError} naming the folder and what is in the way
 */
export async function prepareOutput(directory: string): Promise<void> {
  const probe = `${directory}/.write-probe-${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(probe, "", { createNew: true });
    await Deno.remove(probe);
  } catch (error) {
    throw new UsageError(
      `Cannot use --out ${quoted(directory)}: ${
        causeOf(error)
      }; accepted is a folder that can be ` +
        "written, or made",
    );
  }
}
