/** Minimum insertions, deletions and substitutions that turn one string into the other. */
export function levenshteinDistance(str1: string, str2: string): number;
