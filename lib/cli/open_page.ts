import { UsageError } from "./usage_error.ts";

/** `deno task bench` may start no program; `deno task bench:open` may start these three and no other. */
const OPENERS: Partial<Record<typeof Deno.build.os, string>> = {
  darwin: "open",
  windows: "explorer",
};
/** What has not ended by then shows the page. */
const PATIENCE_MS = 3_000;

/**
 * The program that opens pages.
 *
 * @throws {UsageError} if it may not be started
 */
export function findOpener(): string {
  const command = OPENERS[Deno.build.os] ?? "xdg-open";
  if (Deno.permissions.querySync({ name: "run", command }).state === "granted") return command;
  throw new UsageError(
    `Cannot use --open, as this task may not start ${command}: accepted is deno task bench:open, which may, or ` +
      "the file:// line at the end of each run",
  );
}

/** Opens a page; the program goes on by itself. Returns what went wrong, `null` where nothing is known to have. */
export async function openPage(opener: string, url: string): Promise<string | null> {
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(patience.resolve, PATIENCE_MS, null);
  try {
    const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command(opener, { args: [url], ...io }).spawn();
    child.unref();
    const status = await Promise.race([child.status, patience.promise]);
    // The Explorer ends with 1 whatever it has done.
    const isWell = status === null || status.success || Deno.build.os === "windows";
    return isWell ? null : `Cannot open ${url}: ${opener} ended with ${status.code}`;
  } catch (error) {
    return `Cannot open ${url}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    clearTimeout(timer);
  }
}
