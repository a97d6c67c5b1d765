/** The words, the most similar to the given one first. */
export function wordSimilaritySort(
  givenWord: string,
  possibleWords: readonly string[],
  options?: { caseSensitive?: boolean },
): string[];
