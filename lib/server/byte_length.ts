import { Buffer } from "node:buffer";

/** Length as UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** True if the text as UTF-8 exceeds `limitBytes`. Counts the bytes only if it could. */
export function exceedsUtf8Bytes(text: string, limitBytes: number): boolean {
  // A UTF-16 code unit takes at most three bytes.
  return text.length * 3 > limitBytes && utf8Bytes(text) > limitBytes;
}
