/**
 * Settings that cannot be used, and what the errors about them show.
 *
 * @module
 */

import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { wordSimilaritySort } from "@std/text/word-similarity-sort";

/** A command line or setting that cannot be used: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Runs `action`, of which errors of this kind are the user's.
 *
 * @throws {UsageError} in their place, with some advice after the message
 */
export function expecting<T>(
  kind: new (...args: never[]) => Error,
  action: () => T,
  advice = "",
): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof kind ? new UsageError(error.message + advice) : error;
  }
}

/** A setting as it was given, and where: `--epochs`, or the name of a variable. */
export interface Given {
  source: string;
  text: string;
}

/** The error for a setting that is none of what is accepted. */
export function unacceptable({ source, text }: Given, accepted: string): UsageError {
  return new UsageError(`Cannot use ${source} ${quoted(text)}: accepted is ${accepted}`);
}

/** How much of a value is shown, in characters. */
const SHOWN_CHARACTERS = 200;

/** A value as an error shows it: on one line, and not longer than a reader needs. */
export function quoted(text: string): string {
  const short = text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
  // deno-lint-ignore no-control-regex
  return `"${short.replace(/[\u0000-\u001f]/g, (one) => JSON.stringify(one).slice(1, -1))}"`;
}

/** Why the system refused something, without the call and the paths that Deno adds. */
export function causeOf(error: unknown): string {
  // Deno's own message advises flags that do not help here.
  if (error instanceof Deno.errors.NotCapable) return "no program may do that there";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/(\(os error \d+\)): .*$/s, "$1");
}

/** How much of a word may be wrong for another one to be what was meant. */
const WRONG_SHARE = 0.4;
/** Longer texts were not meant as a word, and take long to compare. */
const LONGEST_WORD = 64;

/** The known word that was probably meant, or `null` if none is close. */
export function closestTo(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST_WORD) return null;
  const begun = known.find((one) => word.length >= 3 && one.startsWith(word.toLowerCase()));
  if (begun !== undefined) return begun;
  const [closest] = wordSimilaritySort(word, known);
  if (closest === undefined) return null;
  const allowed = Math.max(3, Math.floor(closest.length * WRONG_SHARE));
  return levenshteinDistance(word.toLowerCase(), closest) <= allowed ? closest : null;
}

/** The advice of an error, with a space before it; nothing if no known word is close. */
export function didYouMean(word: string, known: readonly string[]): string {
  const closest = closestTo(word, known);
  return closest === null ? "" : ` (did you mean ${closest}?)`;
}
