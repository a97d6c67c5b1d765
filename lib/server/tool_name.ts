const SUFFIXES = ["-EXAI-WS", "_EXAI-WS", "_EXAI_WS", "-EXAI_WS"];

/** The name without one trailing EXAI suffix. Other suffixes stay. */
export function stripToolSuffix(name: string): string {
  const suffix = SUFFIXES.find((candidate) => name.endsWith(candidate));
  return suffix === undefined ? name : name.slice(0, -suffix.length);
}
