/** A command line or setting that cannot be used: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** So much of a value is shown, in characters. */
const SHOWN_CHARACTERS = 200;

/** A value as an error shows it: on one line, and not longer than a reader needs. */
export function quoted(text: string): string {
  const short = text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
  // deno-lint-ignore no-control-regex
  return `"${short.replace(/[\u0000-\u001f]/g, (one) => JSON.stringify(one).slice(1, -1))}"`;
}

/** Why the system refused something, without the call and the paths that Deno adds. */
export function causeOf(error: unknown): string {
  // Deno's own words on what it permits nobody to do give advice that does not fit.
  if (error instanceof Deno.errors.NotCapable) return "no program may do that there";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/(\(os error \d+\)): .*$/s, "$1");
}
