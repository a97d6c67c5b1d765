/** Sorts the words by similarity to the given one, the most similar first. */
export function wordSimilaritySort(
  givenWord: string,
  possibleWords: readonly string[],
  options?: { caseSensitive?: boolean },
): string[];
