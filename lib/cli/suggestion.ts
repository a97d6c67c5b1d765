import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { wordSimilaritySort } from "@std/text/word-similarity-sort";

/** How much of a word may be wrong for another one to be what was meant. */
const WRONG_SHARE = 0.4;

/** A longer one was meant as no word, and to compare it takes time. */
const LONGEST_WORD = 64;

/** The known word that was probably meant, or `null` if none is close. */
export function closestTo(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST_WORD) return null;
  const begun = known.filter((one) => word.length >= 3 && one.startsWith(word.toLowerCase()));
  if (begun.length > 0) return begun[0]!;
  const [closest] = wordSimilaritySort(word, known);
  if (closest === undefined) return null;
  const allowed = Math.max(3, Math.floor(closest.length * WRONG_SHARE));
  return levenshteinDistance(word.toLowerCase(), closest) <= allowed ? closest : null;
}
