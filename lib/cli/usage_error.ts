import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { wordSimilaritySort } from "@std/text/word-similarity-sort";

/** An invalid command line or setting: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Runs `action`.
 *
 * @throws {UsageError} instead of errors of this kind, with `advice` after the message
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

/** A setting as it was given. */
export interface Given {
  /** The option, such as `--epochs`, or the name of a variable. */
  source: string;
  text: string;
}

/** The error for a setting with an invalid value. */
export function unacceptable({ source, text }: Given, accepted: string): UsageError {
  return new UsageError(`Cannot use ${source} ${quoted(text)}: accepted is ${accepted}`);
}

/** How many characters of a value an error shows. */
const SHOWN_CHARACTERS = 200;

/** Quotes a value for an error: shortened, and on one line. */
export function quoted(text: string): string {
  const short = text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
  // deno-lint-ignore no-control-regex
  return `"${short.replace(/[\u0000-\u001f]/g, (one) => JSON.stringify(one).slice(1, -1))}"`;
}

/** The message of a system error, without the call and the paths that Deno adds. */
export function causeOf(error: unknown): string {
  // Deno's own message suggests flags that do not help here.
  if (error instanceof Deno.errors.NotCapable) return "Deno does not allow access there";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/(\(os error \d+\)): .*$/s, "$1");
}

/** The largest share of the shorter word that a typo can get wrong; at least one letter. */
const WRONG_SHARE = 0.4;
/** Longer texts are not typos of a word, and slow to compare. */
const LONGEST_WORD = 64;

/** The known word that was probably meant; `null` if none is close. */
export function closestTo(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST_WORD) return null;
  const begun = known.find((one) => word.length >= 3 && one.startsWith(word.toLowerCase()));
  if (begun !== undefined) return begun;
  const [closest] = wordSimilaritySort(word, known);
  if (closest === undefined) return null;
  const [given, shorter] = [word.toLowerCase(), Math.min(word.length, closest.length)];
  const allowed = Math.max(1, Math.round(shorter * WRONG_SHARE));
  const isClose = levenshteinDistance(given, closest) <= allowed;
  return isClose || sorted(given) === sorted(closest) ? closest : null;
}

/** The letters of a word in order: equal for words with swapped letters. */
const sorted = (word: string) => [...word].sort().join("");

/** A suggestion with a leading space; empty if no known word is close. */
export function didYouMean(word: string, known: readonly string[]): string {
  const closest = closestTo(word, known);
  return closest === null ? "" : ` (did you mean ${closest}?)`;
}
