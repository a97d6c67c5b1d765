/**
 * Decides, at most once a day, whether `@std` comes from JSR or from the stand-ins in lib/std, by
 * whether JSR answers within half a second. An empty lib/std/deno.json hides the deno.jsonc that links
 * the stand-ins. Both files are ignored by git; where they cannot be written, nothing changes.
 *
 * @module
 */

const SWITCH = new URL("../std/deno.json", import.meta.url);
const STAMP = new URL("../std/.jsr-checked", import.meta.url);
const DAY_MS = 24 * 60 * 60 * 1000;
const LIMIT_MS = 500;

/** Whether the last probe was made within a day. */
async function isRecent(): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(STAMP);
    return mtime !== null && Math.abs(Date.now() - mtime.getTime()) < DAY_MS;
  } catch {
    return false;
  }
}

/** Whether Deno can resolve a JSR package; a JSR that accepts and never answers is killed in time. */
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
    // Nothing to remove, or a checkout that cannot be written: the stand-ins go on serving.
  }
}
