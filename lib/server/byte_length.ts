import { Buffer } from "node:buffer";

/** Length of the text as UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** Whether the text is longer than `limitBytes` as UTF-8; counted only where it is close. */
export function exceedsUtf8Bytes(text: string, limitBytes: number): boolean {
  // One UTF-16 unit is never more than three bytes.
  return text.length * 3 > limitBytes && utf8Bytes(text) > limitBytes;
}
