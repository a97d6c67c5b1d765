import { PROJECT_FOLDER } from "./run_cli.ts";

/** Runs a command to its end. Default folder: the project's. */
export async function runCommand(
  command: string,
  args: readonly string[],
  more: Deno.CommandOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: PROJECT_FOLDER,
    stdin: "null",
    ...more,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** True if the command exists and works. */
export function hasCommand(command: string, argument = "--version"): boolean {
  try {
    return new Deno.Command(command, { args: [argument], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}
