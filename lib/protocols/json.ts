/** The value of a JSON text, or `undefined` where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A value of a JSON text as text. Never throws, which String() does for `{"toString":1}`. */
export function jsonText(value: unknown): string {
  return typeof value === "object" && value !== null ? "(object)" : String(value);
}

/** Whether a value is a JSON object, and not an array or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
