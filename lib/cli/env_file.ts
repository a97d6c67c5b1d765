import { parse } from "@std/dotenv";
import { causeOf, UsageError } from "./usage_error.ts";

/**
 * The variables of the first of these `.env` files that exists; none where there is none.
 *
 * @throws {UsageError} if there is one that cannot be read
 */
export async function readEnvFile(paths: readonly string[]): Promise<Record<string, string>> {
  for (const path of paths) {
    try {
      // Some editors put a byte order mark before the first line.
      return parse((await Deno.readTextFile(path)).replace(/^\uFEFF/, ""));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      // A folder of that name is none of ours: some keep a virtual environment there.
      if (await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) continue;
      throw new UsageError(`Cannot read ${path}: ${causeOf(error)}; accepted is a file, or none`);
    }
  }
  return {};
}
