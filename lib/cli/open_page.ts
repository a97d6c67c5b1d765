import { causeOf, UsageError } from "./usage_error.ts";

/** `deno task bench:open` may start these and xdg-open, `deno task bench` no program at all. */
const OPENERS: Partial<Record<typeof Deno.build.os, string>> = {
  darwin: "open",
  windows: "explorer",
};
/** A program that is still running after this time counts as showing the page. */
const PATIENCE_MS = 3_000;

/**
 * The program that opens pages.
 *
 * @throws {UsageError} without permission to start it
 */
export function findOpener(): string {
  const command = OPENERS[Deno.build.os] ?? "xdg-open";
  if (Deno.permissions.querySync({ name: "run", command }).state === "granted") return command;
  throw new UsageError(
    `Cannot use --open, as this task may not start ${command}: accepted is deno task bench:open; every ` +
      "run also ends by printing the page's file:// address",
  );
}

/** Opens a page with a program that keeps running. Returns an error message, or `null`. */
export async function openPage(opener: string, url: string): Promise<string | null> {
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(patience.resolve, PATIENCE_MS, null);
  try {
    const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command(opener, { args: [url], ...io }).spawn();
    child.unref();
    const status = await Promise.race([child.status, patience.promise]);
    // Windows Explorer always exits with 1.
    const isOpen = status === null || status.success || Deno.build.os === "windows";
    return isOpen ? null : `Cannot open ${url}: ${opener} exited with code ${status.code}`;
  } catch (error) {
    return `Cannot open ${url}: ${causeOf(error)}`;
  } finally {
    clearTimeout(timer);
  }
}
