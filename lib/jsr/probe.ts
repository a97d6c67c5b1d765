/**
 * Selects the source of `@std`, at most once a day: JSR if it answers within half a second, else the
 * stand-ins in lib/std. An empty lib/std/deno.json hides the deno.jsonc that links the stand-ins.
 *
 * @module
 */

const SWITCH = new URL("../std/deno.json", import.meta.url);
const STAMP = new URL("../std/.jsr-checked", import.meta.url);
const DAY_MS = 24 * 60 * 60 * 1000;
const LIMIT_MS = 500;

async function isRecent(): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(STAMP);
    return mtime !== null && Math.abs(Date.now() - mtime.getTime()) < DAY_MS;
  } catch {
    return false;
  }
}

/** Asks Deno to resolve a JSR package; the time limit is for a JSR that accepts but never answers. */
async function jsrAnswers(): Promise<boolean> {
  const deno = new Deno.Command(Deno.execPath(), {
    args: ["info", "-q", "--no-config", "jsr:@std/assert@^1/assert"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  try {
    return (await deno.output()).success;
  } catch {
    return false;
  }
}

if (!await isRecent()) {
  try {
    await Deno.writeTextFile(STAMP, "");
    if (await jsrAnswers()) await Deno.writeTextFile(SWITCH, "{}\n");
    else await Deno.remove(SWITCH);
  } catch {
    // There is nothing to remove, or the checkout is read-only: the source stays as it is.
  }
}
