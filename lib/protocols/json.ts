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

/** Texts of a server are cut to this length where they are told. */
const SHORT_LENGTH = 160;

/** A text of a server on one line, and no longer than a reader needs. */
export function shortText(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= SHORT_LENGTH ? line : `${line.slice(0, SHORT_LENGTH)}…`;
}

/** Whether a value is a JSON object, and not an array or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
